# Catch2 for a cross build: Debian's package is for the build machine, but its one header serves any.
#
# Defines Catch2::Catch2 over a copy of that header, because /usr/include itself must stay out of a
# cross compiler's search path. On WASI it adds the file streams and switches off what is not there.
find_path(TERN_CATCH2_INCLUDE_DIR catch2/catch.hpp
  PATHS /usr/include /usr/local/include NO_CMAKE_FIND_ROOT_PATH REQUIRED)
file(COPY ${TERN_CATCH2_INCLUDE_DIR}/catch2/catch.hpp DESTINATION ${PROJECT_BINARY_DIR}/catch2_copy/catch2)

add_library(tern_catch2 INTERFACE)
add_library(Catch2::Catch2 ALIAS tern_catch2)
target_include_directories(tern_catch2 SYSTEM INTERFACE ${PROJECT_BINARY_DIR}/catch2_copy)
if(NOT TERN_EXCEPTIONS)
  target_compile_definitions(tern_catch2 INTERFACE CATCH_CONFIG_DISABLE_EXCEPTIONS)
endif()
if(CMAKE_SYSTEM_NAME STREQUAL "WASI")
  target_compile_definitions(tern_catch2 INTERFACE CATCH_CONFIG_NO_POSIX_SIGNALS)
  target_compile_options(tern_catch2 INTERFACE
    "SHELL:$<$<COMPILE_LANGUAGE:CXX>:-include ${CMAKE_CURRENT_LIST_DIR}/wasi_streams.hpp>")
  add_library(tern_wasi_streams OBJECT ${CMAKE_CURRENT_LIST_DIR}/wasi_streams.cpp)
  target_sources(tern_catch2 INTERFACE $<TARGET_OBJECTS:tern_wasi_streams>)
endif()
