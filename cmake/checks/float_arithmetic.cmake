# No object of the library outside src/kernels and the JSON parser does float arithmetic: the disassembly is the witness,
# because a header's innocent `a * b` or a conversion of uint64_t is not to be seen in the source.
# Comparisons (min and max are), moves and conversions are fine. x86-64 only; the sources are the same elsewhere.
#
#   cmake -DROOT=<checkout> -DARCHIVE=libtern.a -DOBJDUMP=objdump -P float_arithmetic.cmake
include(${CMAKE_CURRENT_LIST_DIR}/lint.cmake)

# The objects that may compute: one for each source file of the room, their names being unique.
file(GLOB kernel_sources RELATIVE "${ROOT}/src/kernels" "${ROOT}/src/kernels/*.cpp")

set(dump "${CMAKE_CURRENT_BINARY_DIR}/float_arithmetic.txt")
execute_process(COMMAND ${OBJDUMP} -d --no-show-raw-insn "${ARCHIVE}"
  OUTPUT_FILE "${dump}" RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "float arithmetic: ${OBJDUMP} cannot read ${ARCHIVE}")
endif()

# SSE and AVX, scalar and packed, single and double; the dot and horizontal forms; x87.
set(ARITHMETIC
  "v?(add|sub|mul|div|sqrt|rcp|rsqrt|round|hadd|hsub|addsub|dp|rndscale|reduce|scalef)[sp][sdh]"
  "vfn?m(add|sub)[a-z0-9]*[sp][sdh]"
  "f(i?(add|sub|mul|div)r?p?[sl]?|sqrt|rndint|scale|prem1?|sin|cos|ptan|patan|2xm1|yl2x)")
list(JOIN ARITHMETIC "|" ARITHMETIC)

file(STRINGS "${dump}" lines
  REGEX "file format|^[0-9a-f]+ <.*>:$|\t(${ARITHMETIC})([ \t]|$)")
set(object "")
set(objects 0)
foreach(line IN LISTS lines)
  if(line MATCHES "^(.*[(])?([^()]+)[)]?:[ \t]+file format")  # GNU's form and LLVM's
    set(object "${CMAKE_MATCH_2}")
    string(REGEX REPLACE "\\.(o|obj)$" "" source "${object}")
    set(may_compute FALSE)
    # RapidJSON reads decimal numbers there, exactly rounded; nothing that is computed with.
    if(source IN_LIST kernel_sources OR source STREQUAL "json.cpp")
      set(may_compute TRUE)
    endif()
    math(EXPR objects "${objects} + 1")
  elseif(line MATCHES "^[0-9a-f]+ <(.*)>:$")
    set(symbol "${CMAKE_MATCH_1}")
  elseif(NOT may_compute)
    string(REGEX REPLACE "^.*\t([a-z0-9]+)[ \t]*[^\t]*$" "\\1" instruction "${line}")
    lint_report("${object}" "${instruction} in ${symbol}")
  endif()
endforeach()
if(objects EQUAL 0)
  lint_report("${ARCHIVE}" "holds no object")
endif()
get_property(count GLOBAL PROPERTY LINT_VIOLATIONS)
if(count)
  message("Call a kernel slot for it; convert 64-bit counts through int64_t (uint64_t needs an addition).")
endif()
lint_finish("float arithmetic")
