# A kernel object exports one symbol, its table; it holds nothing weak that the linker could choose
# for baseline code, calls nothing but memory functions and its siblings, and has no float instruction
# that fuses two roundings into one or whose result differs between CPU makers.
#
#   cmake -DROOT=<checkout> -DARCHIVE=libtern.a -DNM=nm -DOBJDUMP=objdump -P kernel_objects.cmake
include(${CMAKE_CURRENT_LIST_DIR}/lint.cmake)

# What a compiler may call on its own account; sqrtf is what -fmath-errno leaves for negative numbers.
set(MAY_CALL "^(mem(cpy|move|set|cmp)|sqrtf?|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_)$")

execute_process(COMMAND ${NM} -A --defined-only --extern-only "${ARCHIVE}"
  OUTPUT_VARIABLE defined ERROR_VARIABLE errors RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "kernel objects: ${NM} cannot read ${ARCHIVE}: ${errors}")
endif()
execute_process(COMMAND ${NM} -A --undefined-only "${ARCHIVE}" OUTPUT_VARIABLE undefined ERROR_QUIET)

# symbols_of(OUT listing object): the "type name" pairs of one object in what nm -A printed.
function(symbols_of out listing object)
  string(REPLACE "." "\\." pattern "${object}")
  string(REGEX MATCHALL "[^\n]*:${pattern}:[^\n]*" lines "${${listing}}")
  list(TRANSFORM lines REPLACE "^.*:[0-9a-f ]*([A-Za-z]) ([^ ]+)$" "\\1 \\2")
  set(${out} "${lines}" PARENT_SCOPE)
endfunction()

string(REGEX MATCHALL "kernels_[a-z0-9_]+\\.cpp\\.o" objects "${defined}")
list(REMOVE_DUPLICATES objects)
if(objects STREQUAL "")
  lint_report("${ARCHIVE}" "holds no kernels_*.cpp.o")
endif()
set(tables)
foreach(object IN LISTS objects)
  symbols_of(symbols defined "${object}")
  set(weak "${symbols}")
  list(FILTER weak INCLUDE REGEX "^[WwVvu] ")
  list(FILTER symbols EXCLUDE REGEX "^[WwVvu] ")
  foreach(symbol IN LISTS weak)
    lint_report("${object}" "weak symbol: ${symbol}")
  endforeach()
  list(LENGTH symbols count)
  if(NOT count EQUAL 1)
    lint_report("${object}" "exports ${count} symbols, not its table alone: ${symbols}")
  endif()
  list(TRANSFORM symbols REPLACE "^. " "")
  list(APPEND tables ${symbols})
endforeach()
foreach(object IN LISTS objects)
  symbols_of(symbols undefined "${object}")
  list(TRANSFORM symbols REPLACE "^. " "")
  list(FILTER symbols EXCLUDE REGEX "${MAY_CALL}")
  foreach(symbol IN LISTS symbols)
    if(NOT symbol IN_LIST tables)
      lint_report("${object}" "calls ${symbol}")
    endif()
  endforeach()
endforeach()

# x86 and AArch64.
set(FUSED "vfn?m(add|sub)[a-z0-9]*|fn?m(add|sub|la|ls)[a-z0-9]*|fcmla|bf(dot|mmla|mlal.)")
set(APPROXIMATE "v?(rcp|rsqrt)[0-9]*[sp][sdh]|fr(ecp|sqrt)[esx]")

set(dump "${CMAKE_CURRENT_BINARY_DIR}/kernel_objects.txt")
execute_process(COMMAND ${OBJDUMP} -d --no-show-raw-insn "${ARCHIVE}" OUTPUT_FILE "${dump}")
file(STRINGS "${dump}" lines REGEX "file format|\t(${FUSED}|${APPROXIMATE})([ \t]|$)")
foreach(line IN LISTS lines)
  if(line MATCHES "^(.*[(])?([^()]+)[)]?:[ \t]+file format")  # GNU's form and LLVM's
    set(object "${CMAKE_MATCH_2}")
  elseif(object IN_LIST objects)
    set(kind approximate)
    if(line MATCHES "\t(${FUSED})([ \t]|$)")
      set(kind fused)
    endif()
    string(STRIP "${line}" line)
    lint_report("${object}" "${kind}: ${line}")
  endif()
endforeach()
lint_finish("kernel objects")
