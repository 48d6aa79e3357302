# whimbrel_module(<name> DEPS <modules> LIBS <libraries>)
#
# One static library from src/<name>/*.cc with its public headers in include/whimbrel/<name>/. DEPS is
# the list of modules whose headers it may include, transitively; scripts/check-includes holds the
# sources to it.
#
# What waits for the network is compiled for size in releases: two thirds of the code, 1 MiB less of a runner's
# resident set and of a controller's, and no CPU time that could be measured (1,000 files applied, nothing to do).
set(WHIMBREL_MODULES_FOR_SIZE postgres history report engine kube controller serve cli)
function(whimbrel_module name)
  cmake_parse_arguments(ARG "" "" "DEPS;LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cc
       ${PROJECT_SOURCE_DIR}/src/${name}/*/*.cc)
  add_library(whimbrel_${name} STATIC ${sources})
  target_include_directories(whimbrel_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include
                                              PRIVATE ${PROJECT_SOURCE_DIR}/src)
  if(name IN_LIST WHIMBREL_MODULES_FOR_SIZE)
    target_compile_options(whimbrel_${name} PRIVATE $<$<CONFIG:Release>:-Os>)
  endif()
  list(TRANSFORM ARG_DEPS PREPEND whimbrel_)
  target_link_libraries(whimbrel_${name} PUBLIC ${ARG_DEPS} ${ARG_LIBS} Threads::Threads)
endfunction()
