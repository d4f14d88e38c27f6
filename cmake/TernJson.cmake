# RapidJSON, headers only, private to src/format/json.cpp. Copied beside the build, since where Debian has
# it (/usr/include) is no include folder for a cross compiler.
if(TERN_WITH_JSON)
  find_path(RAPIDJSON_DIR rapidjson/reader.h PATHS /usr/include /usr/local/include NO_CMAKE_FIND_ROOT_PATH)
  if(NOT RAPIDJSON_DIR)
    message(STATUS "RapidJSON not found (Debian: rapidjson-dev): Hugging Face folders will be refused by name")
  else()
    file(COPY ${RAPIDJSON_DIR}/rapidjson DESTINATION ${PROJECT_BINARY_DIR}/third_party)
    set(TERN_JSON_OPTIONS -isystem ${PROJECT_BINARY_DIR}/third_party)
    if(TERN_SANITIZE MATCHES "undefined")
      # RapidJSON 1.1 asks an empty stack for room by adding to its null pointer.
      list(APPEND TERN_JSON_OPTIONS -fno-sanitize=pointer-overflow)
    endif()
    set_source_files_properties(src/format/json.cpp PROPERTIES
      COMPILE_DEFINITIONS TERN_WITH_JSON
      SKIP_UNITY_BUILD_INCLUSION ON)
    set_property(SOURCE src/format/json.cpp APPEND PROPERTY COMPILE_OPTIONS "${TERN_JSON_OPTIONS}")
  endif()
endif()
