/* The C header in C99 and C11, pedantic, with every warning an error; CMakeLists.txt sets the
 * flags. */
#include "tern.h"

/* Statuses are constants: they can label cases and size arrays. */
typedef char tern_ok_is_zero[TERN_OK == 0 ? 1 : -1];
int32_t c_header_is_ok(tern_status status);
int32_t c_header_is_ok(tern_status status) {
  tern_load_options load;
  tern_session_options session;
  tern_sampler_options sampler;
  tern_generate_options generate;
  tern_load_options_init(&load);
  tern_session_options_init(&session);
  tern_sampler_options_init(&sampler);
  tern_generate_options_init(&generate);
  switch (status) {
    case TERN_OK: return 1;
    case TERN_INTERNAL: return 0;
    default: return 0;
  }
}
