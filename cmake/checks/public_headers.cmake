# Every public header compiles alone, twice over (its guard), with the warnings of the library; the C
# header as C99, pedantic, and as C++.
#
#   cmake -DROOT=<checkout> -DCC=cc -DCXX=c++ [-DFLAGS=...] -DOUT=<folder> -P public_headers.cmake
include(${CMAKE_CURRENT_LIST_DIR}/lint.cmake)

set(WARNINGS -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Werror)
set(CXX_COMMAND ${CXX} -std=c++20 ${WARNINGS} ${FLAGS} -I${ROOT}/include -I${ROOT}/capi -fsyntax-only)
set(C_COMMAND ${CC} -std=c99 -pedantic-errors ${WARNINGS} -I${ROOT}/capi -fsyntax-only)

# Exempt: halves of a header that its other half includes; what needs a library that may be absent.
set(EXEMPT "\\.inl\\.hpp$|^include/tern/eigen\\.hpp$|^include/tern/train/")

lint_files(headers include)
list(FILTER headers INCLUDE REGEX "\\.hpp$")
list(FILTER headers EXCLUDE REGEX "${EXEMPT}")
# Two lanes of compilers side by side: the commands of one execute_process run at the same time.
set(lane_0)
set(lane_1)
set(lane 0)
foreach(header IN LISTS headers)
  string(REGEX REPLACE "^include/" "" name "${header}")
  string(MAKE_C_IDENTIFIER "${name}" stub)
  file(WRITE "${OUT}/${stub}.cpp" "#include \"${name}\"\n#include \"${name}\"\n")
  list(APPEND lane_${lane} "${OUT}/${stub}.cpp")
  math(EXPR lane "1 - ${lane}")
endforeach()
if(EXISTS "${ROOT}/capi/tern.h")
  foreach(extension c cpp)
    file(WRITE "${OUT}/c_header.${extension}" "#include \"tern.h\"\n#include \"tern.h\"\n")
  endforeach()
  list(APPEND lane_1 "${OUT}/c_header.cpp")
  execute_process(COMMAND ${C_COMMAND} "${OUT}/c_header.c" RESULT_VARIABLE status ERROR_VARIABLE errors)
  if(NOT status EQUAL 0)
    lint_report("capi/tern.h" "does not compile alone as C99\n${errors}")
  endif()
endif()
foreach(lane lane_0 lane_1)
  if(${lane})
    list(APPEND commands COMMAND ${CXX_COMMAND} ${${lane}})
  endif()
endforeach()
if(commands)
  execute_process(${commands} RESULTS_VARIABLE statuses ERROR_VARIABLE errors)
  if(NOT statuses MATCHES "^0(;0)?$")
    lint_report("include" "a header does not compile alone\n${errors}")
  endif()
endif()
lint_finish("public headers")
