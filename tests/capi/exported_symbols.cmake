# What the C ABI exports is its golden list, and that is what its header declares; and the library asks the
# system for nothing that would end, stop or talk over the host.
#
#   cmake -DROOT=<checkout> -DARCHIVE=libtern.a -DLIBRARY=libtern.so -DNM=nm -P exported_symbols.cmake
cmake_minimum_required(VERSION 3.21)

# compare(WHAT found expected): two lists of symbols are the same, or each difference is told.
function(compare what found expected)
  set(missing ${${expected}})
  list(REMOVE_ITEM missing ${${found}})
  set(surplus ${${found}})
  list(REMOVE_ITEM surplus ${${expected}})
  foreach(symbol IN LISTS missing)
    message(SEND_ERROR "${what}: ${symbol} is missing")
  endforeach()
  foreach(symbol IN LISTS surplus)
    message(SEND_ERROR "${what}: ${symbol} is not in the golden list")
  endforeach()
endfunction()

file(STRINGS "${ROOT}/capi/exported_symbols.txt" golden)
list(LENGTH golden count)
if(count LESS 40)
  message(SEND_ERROR "capi/exported_symbols.txt: ${count} symbols cannot be all")
endif()
set(sorted ${golden})
list(SORT sorted)
if(NOT sorted STREQUAL golden)
  message(SEND_ERROR "capi/exported_symbols.txt is not sorted")
endif()

# The functions of the header: TERN_API, a type, a name and a parenthesis.
file(READ "${ROOT}/capi/tern.h" header)
string(REGEX MATCHALL "TERN_API [a-z0-9_ *]*[ *](tern_[a-z0-9_]+)\\(" declarations "${header}")
list(TRANSFORM declarations REPLACE "^.*[ *](tern_[a-z0-9_]+)\\($" "\\1")
compare("capi/tern.h" declarations golden)

# The dynamic symbols of the shared library; the node of the version script (type A) is no function.
execute_process(COMMAND ${NM} -D --defined-only "${LIBRARY}" OUTPUT_VARIABLE listing
  RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${NM} cannot read ${LIBRARY}")
endif()
string(REGEX MATCHALL "[0-9a-f]+ [B-Zb-z] [^\n]+" exported "${listing}")
list(TRANSFORM exported REPLACE "^[0-9a-f]+ . ([^@]+).*$" "\\1")
compare("${LIBRARY}" exported golden)

# What the archive wants from the system.
set(FORBIDDEN "^(abort|exit|_exit|_Exit|quick_exit|atexit|__assert_fail|raise|kill|signal|sigaction|longjmp|\
_?_?(f|v|vf|s|sn|vs|vsn)?printf(_chk)?|puts|putchar|fputs|fwrite|write|perror|syslog|getenv|secure_getenv|\
setenv|setlocale|newlocale|uselocale|localeconv|strto(f|d|ld)|fesetround|fesetenv|_ZSt(4cout|4cerr|4clog)|_ZSt9terminatev)(@.*)?$")
execute_process(COMMAND ${NM} --undefined-only "${ARCHIVE}" OUTPUT_VARIABLE listing
  RESULT_VARIABLE status)
string(REGEX MATCHALL " U [^\n]+" wanted "${listing}")
list(TRANSFORM wanted REPLACE "^ U " "")
list(FIND wanted memcpy found)
if(NOT status EQUAL 0 OR found EQUAL -1)
  message(SEND_ERROR "${NM} does not read ${ARCHIVE}: not even memcpy is in it")
endif()
list(FILTER wanted INCLUDE REGEX "${FORBIDDEN}")
foreach(symbol IN LISTS wanted)
  message(SEND_ERROR "${ARCHIVE} calls ${symbol}")
endforeach()
