# tern::tern_shared: the C ABI as a shared library, of the objects of the static one. It exports what
# capi/exported_symbols.txt lists and nothing else, so C++ hosts link tern::tern.
#
# Its name carries TERN_ABI_VERSION: libtern.so.1, tern-1.dll.
file(STRINGS ${PROJECT_SOURCE_DIR}/capi/tern.h TERN_ABI_LINE REGEX "^#define TERN_ABI_VERSION [0-9]+$")
string(REGEX REPLACE "^.* " "" TERN_ABI "${TERN_ABI_LINE}")

if(TERN_BUILD_SHARED)
  add_library(tern_shared SHARED $<TARGET_OBJECTS:tern>)
  add_library(tern::tern_shared ALIAS tern_shared)
  target_include_directories(tern_shared INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/capi>)
  if(TERN_THREADS)
    target_link_libraries(tern_shared PRIVATE Threads::Threads)
  endif()
  set_target_properties(tern_shared PROPERTIES
    OUTPUT_NAME tern
    LINKER_LANGUAGE CXX
    VERSION ${TERN_ABI}.${PROJECT_VERSION}
    SOVERSION ${TERN_ABI}
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}
    ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
  if(WIN32)
    file(STRINGS ${PROJECT_SOURCE_DIR}/capi/exported_symbols.txt TERN_SYMBOLS)
    list(JOIN TERN_SYMBOLS "\n" TERN_SYMBOLS)
    file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/tern.def CONTENT "EXPORTS\n@TERN_SYMBOLS@\n" @ONLY)
    target_sources(tern_shared PRIVATE ${PROJECT_BINARY_DIR}/tern.def)
    set_target_properties(tern_shared PROPERTIES PREFIX "" RUNTIME_OUTPUT_NAME tern-${TERN_ABI})
    target_compile_definitions(tern_shared INTERFACE TERN_USE_DLL)
  elseif(APPLE)
    target_link_options(tern_shared PRIVATE "LINKER:-exported_symbol,_tern_*")
  else()
    target_link_options(tern_shared PRIVATE
      "LINKER:--version-script=${PROJECT_SOURCE_DIR}/capi/tern.map" LINKER:--no-undefined)
    set_target_properties(tern_shared PROPERTIES LINK_DEPENDS ${PROJECT_SOURCE_DIR}/capi/tern.map)
  endif()
endif()
