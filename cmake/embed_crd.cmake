# The binary carries the CRD that `kubectl apply -f crds/` installs: `whimbrel run -f` validates manifests against that very
# schema. There is one source of it, and this is how it gets in.
set(crd_file ${PROJECT_SOURCE_DIR}/crds/databasemigrations.whimbrel.dev.yaml)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${crd_file})
file(READ ${crd_file} WHIMBREL_CRD)
configure_file(${PROJECT_SOURCE_DIR}/src/controller/crd.cc.in ${PROJECT_BINARY_DIR}/generated/crd.cc @ONLY)
target_sources(whimbrel_controller PRIVATE ${PROJECT_BINARY_DIR}/generated/crd.cc)
