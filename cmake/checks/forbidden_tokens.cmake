# What the library's code never says: process control, printing, exceptions, global state of the
# process, float functions, intrinsics, system headers and third-party code, each outside its place.
include(${CMAKE_CURRENT_LIST_DIR}/lint.cmake)

# forbid(why [HEADERS regex] [WORDS regex] [CALLS regex] [TEXT regex] [EXCEPT files] [ONLY files]): one
# row of the table. HEADERS match the name that an #include gives, from its start; WORDS a whole
# identifier; CALLS one that is called; EXCEPT and ONLY are regexes over paths.
set(RULES)
function(forbid why)
  cmake_parse_arguments(PARSE_ARGV 1 rule "" "HEADERS;WORDS;CALLS;TEXT;EXCEPT;ONLY" "")
  set(patterns)
  if(rule_HEADERS)
    list(APPEND patterns "#[ \t]*include[ \t]*[<\"](${rule_HEADERS})")
  endif()
  if(rule_WORDS)
    list(APPEND patterns "(^|[^A-Za-z0-9_])(${rule_WORDS})($|[^A-Za-z0-9_])")
  endif()
  if(rule_CALLS)
    list(APPEND patterns "(^|[^A-Za-z0-9_])(${rule_CALLS})[ \t]*[(]")
  endif()
  if(rule_TEXT)
    list(APPEND patterns "${rule_TEXT}")
  endif()
  list(LENGTH RULES index)
  set(RULES ${RULES} "${why}" PARENT_SCOPE)
  set(patterns_${index} "${patterns}" PARENT_SCOPE)
  set(except_${index} "${rule_EXCEPT}" PARENT_SCOPE)
  set(only_${index} "${rule_ONLY}" PARENT_SCOPE)
endfunction()

forbid("ends the host's process"
  CALLS "abort|exit|_Exit|_exit|quick_exit|atexit|terminate|assert"
  HEADERS "cassert|assert\\.h")
forbid("prints: the host decides what is shown"
  CALLS "printf|fprintf|vprintf|vfprintf|puts|fputs|putchar|putc|fputc|perror"
  WORDS "cout|cerr|clog|stdout|stderr"
  HEADERS "(iostream|ostream|istream|sstream|fstream|iomanip|print|syncstream)>")
forbid("throws: return an Error"
  WORDS "throw" TEXT "\\.at[ \t]*\\("
  EXCEPT "^include/tern/base/allocator\\.hpp$")  # std::bad_alloc: a container can report no other way
forbid("catches: exceptions end at the two walls"
  WORDS "try|catch"
  EXCEPT "^capi/guard\\.hpp$|^include/tern/base/memory_wall\\.hpp$")
forbid("needs run-time type information"
  WORDS "dynamic_cast|typeid" HEADERS "(typeinfo|typeindex|any)>")
forbid("reads or changes state of the process"
  CALLS "setlocale|signal|sigaction|fesetround|fesetenv|feenableexcept|getenv|secure_getenv|setenv|unsetenv|putenv|srand|strtok"
  HEADERS "(clocale|locale|locale\\.h|csignal|cfenv|fenv\\.h)>")
forbid("signal masks live in src/platform (they are blocked while threads start)"
  HEADERS "signal\\.h>" EXCEPT "^src/platform/")
forbid("depends on the host's locale"
  CALLS "strtod|strtof|strtold|atof|stod|stof|stold|isalpha|isdigit|isalnum|isspace|isupper|islower|ispunct|tolower|toupper|strcoll")
forbid("float functions live in src/kernels"
  CALLS "std::(sqrt|cbrt|exp|exp2|expm1|log|log2|log10|log1p|pow|sin|cos|tan|tanh|sinh|cosh|atan|atan2|erf|fma|floor|ceil|round|rint|nearbyint|lrint|lround|trunc|fmod|fabs|hypot|accumulate|inner_product|reduce|transform_reduce)|(sqrt|exp|exp2|log|pow|sin|cos|tanh|fma|floor|ceil|round|rint|nearbyint|trunc|fmod|fabs)f"
  HEADERS "(cmath|math\\.h|tgmath\\.h|complex|numbers|random|valarray)>"
  EXCEPT "^src/kernels/")
forbid("fuses or reorders float operations"
  CALLS "(std::|__builtin_)?fmaf?|vfm[as]q?_[a-z0-9_]+"
  TEXT "_fn?m(add|sub)_|fast-math|(contract|CONTRACT)[ (]*(fast|on|ON)")
forbid("intrinsics live in src/kernels"
  HEADERS "[a-z0-9]*intrin\\.h|arm_[a-z]+\\.h|wasm_simd128\\.h"
  WORDS "_mm[0-9]*_[a-z0-9_]+|__m(64|128|256|512)[di]?|__builtin_(ia32|neon|wasm)_[a-z0-9_]+|wasm_(v128|[iuf](8|16|32|64)x)[a-z0-9_]*"
  CALLS "v[a-z0-9]+q_[sufp](8|16|32|64)"
  EXCEPT "^src/kernels/|^src/platform/(fp_environment|cpu_features)\\.cpp$")  # MXCSR, CPUID, XGETBV
forbid("assembly lives in src/platform and src/kernels"
  WORDS "asm|__asm|__asm__"
  EXCEPT "^src/(platform|kernels)/")
forbid("system headers live in src/platform"
  HEADERS "unistd\\.h|fcntl\\.h|dlfcn\\.h|sched\\.h|pthread\\.h|dirent\\.h|io\\.h|poll\\.h|(sys|mach|asm|linux)/|[wW]indows\\.h|cpuid\\.h|errno\\.h|cerrno|time\\.h|ctime|chrono|filesystem|system_error|stdio\\.h|cstdio"
  EXCEPT "^src/platform/")
forbid("threads live in room platform"
  HEADERS "(thread|mutex|shared_mutex|condition_variable|future|semaphore|barrier|latch|stop_token|threads\\.h)>"
  WORDS "std::(thread|jthread|mutex|async|call_once)"
  EXCEPT "^(src|include/tern)/platform/")
forbid("atomics live in rooms platform and engine (cancellation)"
  HEADERS "(atomic|stdatomic\\.h)>" WORDS "std::atomic[a-z0-9_]*"
  EXCEPT "^(src|include/tern)/(platform|engine)/")
forbid("third-party code is not part of the runtime"
  HEADERS "(Eigen|fmt|catch2|benchmark|gtest|boost)/"
  EXCEPT "^include/tern/(eigen\\.hpp|train/)|^src/train/")
forbid("JSON is parsed in one source file, behind a header of our own"
  HEADERS "rapidjson/"
  EXCEPT "^src/format/json\\.cpp$")
forbid("a public header must not depend on the host's target flags"
  TEXT "__(AVX|SSE|FMA__|F16C__|BMI|ARM_NEON|ARM_FEATURE|wasm_simd128|FAST_MATH)"
  ONLY "^include/|^capi/tern\\.h$")
forbid("the C header includes stddef.h and stdint.h only"
  TEXT "include[ \t]*(\"|<[^s]|<s[^t]|<st[^d]|<std[^di]|<stdd[^e]|<stdi[^n])"
  ONLY "^capi/tern\\.h$")
forbid("code that is switched off is deleted"
  TEXT "#[ \t]*if[ \t]+0")

lint_files(files include src capi)
list(FILTER files INCLUDE REGEX "\\.(hpp|cpp|h|c|inc)$")
foreach(file IN LISTS files)
  lint_read_code(lines "${file}")
  set(index -1)
  foreach(why IN LISTS RULES)
    math(EXPR index "${index} + 1")
    if((except_${index} AND file MATCHES "${except_${index}}") OR
       (only_${index} AND NOT file MATCHES "${only_${index}}"))
      continue()
    endif()
    foreach(pattern IN LISTS patterns_${index})
      if(NOT lines MATCHES "${pattern}")
        continue()
      endif()
      set(number 0)
      foreach(line IN LISTS lines)
        math(EXPR number "${number} + 1")
        if(line MATCHES "${pattern}")
          string(STRIP "${line}" line)
          lint_report("${file}:${number}" "${why}: ${line}")
        endif()
      endforeach()
    endforeach()
  endforeach()
endforeach()
lint_finish("forbidden tokens")
