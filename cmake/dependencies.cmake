# Everything comes from Debian packages; nothing is downloaded at build time.
find_package(PkgConfig REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(spdlog REQUIRED)
find_package(tl-expected REQUIRED)
find_package(CLI11 REQUIRED)
find_package(yaml-cpp REQUIRED)
pkg_check_modules(libpq REQUIRED IMPORTED_TARGET libpq)
# The pkg-config file carries the -D flags that Debian's split library was built with; without them
# the header and the library disagree on the layout of their classes.
pkg_check_modules(httplib REQUIRED IMPORTED_TARGET cpp-httplib)
# Of prometheus-cpp only the core: its CMake package would also want curl and civetweb.
pkg_check_modules(prometheus REQUIRED IMPORTED_TARGET prometheus-cpp-core)
if(WHIMBREL_TESTS OR WHIMBREL_BENCHMARKS OR WHIMBREL_FUZZERS)
  # PostgreSQL's own scanner and grammar, as the judge of ours. It has neither a CMake nor a pkg-config file.
  find_library(PG_QUERY_LIBRARY pg_query REQUIRED)
endif()
