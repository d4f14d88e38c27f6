# No source file is longer than 400 lines: split by topic, do not raise the cap.
include(${CMAKE_CURRENT_LIST_DIR}/lint.cmake)
set(LONGEST 400)

# Exempt, each with its reason.
set(EXEMPT
  capi/tern.h                           # the whole C API in one header is the point
  capi/abi/recorded_tern.h              # a copy of it
  include/tern/text/unicode_tables.hpp) # generated: nobody reads it line by line

lint_files(files . ${LINT_FOLDERS})
list(FILTER files INCLUDE REGEX "\\.(hpp|cpp|h|c|inc|cmake|sh|mjs|js|py)$|CMakeLists\\.txt$|^\\.ci/")
list(FILTER files EXCLUDE REGEX "/corpus/")
list(REMOVE_ITEM files ${EXEMPT})
foreach(file IN LISTS files)
  lint_read(lines "${file}")
  list(LENGTH lines length)
  if(lines MATCHES ";$")
    math(EXPR length "${length} - 1")
  endif()
  if(length GREATER LONGEST)
    lint_report("${file}" "${length} lines, the cap is ${LONGEST}")
  endif()
endforeach()
lint_finish("file length")
