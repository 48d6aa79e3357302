# Compiler flags that hold for all of our code. Third-party headers are SYSTEM, hence not warned about.
find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
# A fast linker where there is one: relinking is most of an edit-build-test round.
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-align
  -Woverloaded-virtual -Wconversion -Wnull-dereference -Wno-missing-field-initializers)
if(WHIMBREL_WERROR)
  add_compile_options(-Werror)
endif()
if(WHIMBREL_SANITIZE)
  add_compile_options(-fsanitize=${WHIMBREL_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${WHIMBREL_SANITIZE})
  # g++ 12 reports false positives of these two under sanitizers (GCC bug 105562 and its kin).
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized> -Wno-null-dereference)
else()
  add_compile_options(-fstack-protector-strong)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-Wno-null-dereference -Wno-maybe-uninitialized)
  add_compile_definitions(_FORTIFY_SOURCE=3)
  add_link_options(-Wl,--gc-sections -Wl,-z,relro,-z,now -Wl,--as-needed)
  add_compile_options(-ffunction-sections -fdata-sections)
endif()
# Bounds and precondition checks of the standard library stay on in every build: a crash rolls back,
# undefined behaviour may not.
add_compile_definitions(_GLIBCXX_ASSERTIONS)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
find_package(Threads REQUIRED)
