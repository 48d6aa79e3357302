# whimbrel_module(<name> DEPS <modules> LIBS <libraries>)
#
# One static library from src/<name>/*.cc with its public headers in include/whimbrel/<name>/. DEPS is
# the list of modules whose headers it may include, transitively; scripts/check-includes holds the
# sources to it.
function(whimbrel_module name)
  cmake_parse_arguments(ARG "" "" "DEPS;LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cc
       ${PROJECT_SOURCE_DIR}/src/${name}/*/*.cc)
  add_library(whimbrel_${name} STATIC ${sources})
  target_include_directories(whimbrel_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include
                                              PRIVATE ${PROJECT_SOURCE_DIR}/src)
  list(TRANSFORM ARG_DEPS PREPEND whimbrel_)
  target_link_libraries(whimbrel_${name} PUBLIC ${ARG_DEPS} ${ARG_LIBS} Threads::Threads)
endfunction()
