// The C header in C++98 and C++20 with every warning an error; CMakeLists.txt sets the flags.
#include "tern.h"

int32_t cpp_header_is_ok(tern_status status);
int32_t cpp_header_is_ok(tern_status status) {
  tern_load_options load = tern_load_options();
  tern_generate_options_init(static_cast<tern_generate_options*>(NULL));
  tern_load_options_init(&load);
  return status == TERN_OK ? 1 : 0;
}
