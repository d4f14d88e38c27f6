/*
** A client of the header that capi/abi records, run with the library of today: its structs may be
*shorter than
** the library's, and every option that it knows must still be where it was.
**
**     recorded_client MODEL.gguf
*/
#include <stdlib.h>
#include <string.h>

#include "tern.h"

#define CHECK(condition)               \
  do {                                 \
    if (!(condition)) return __LINE__; \
  } while (0)

static int32_t on_text(void* user, const char* text, size_t size, int32_t token) {
  (void)text;
  (void)token;
  *(size_t*)user += size;
  return 0;
}

static void* allocate(void* user, size_t bytes, size_t alignment) {
  const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  ++*(size_t*)user;
  return aligned_alloc(alignment < sizeof(void*) ? sizeof(void*) : alignment, rounded);
}

static void release(void* user, void* block, size_t bytes, size_t alignment) {
  (void)bytes;
  (void)alignment;
  --*(size_t*)user;
  free(block);
}

static int run(const char* path, const tern_allocator* allocator, tern_model** model,
               tern_session** session) {
  const uint64_t mask[64] = {UINT64_C(0xFFFFFFFFFFFFFFFF), UINT64_C(0xFFFFFFFFFFFFFFFF)};
  const tern_logit_bias bias = {5, 100.0f};
  tern_load_options load;
  tern_session_options options;
  tern_sampler_options sampler;
  tern_generate_options generate;
  int32_t tokens[8];
  int32_t token = -1, reason = -1;
  size_t n_tokens = 0, n_bytes = 0;
  uint32_t n_generated = 0;

  CHECK(tern_abi_version() == TERN_ABI_VERSION);
  tern_load_options_init(&load);
  load.flags = TERN_LOAD_COPY;
  load.isa = "scalar";
  load.isa_size = 6;
  load.allocator = allocator;
  CHECK(tern_model_load_file(path, strlen(path), &load, model) == TERN_OK);
  CHECK(strcmp(tern_model_isa(*model, NULL), "scalar") == 0);

  tern_session_options_init(&options);
  options.context = 32;
  options.batch = 4;
  options.n_threads = 2;
  options.allocator = allocator;
  CHECK(tern_session_create(*model, &options, session) == TERN_OK);
  CHECK(tern_session_capacity(*session) == 32);
  CHECK(tern_model_tokenize(*model, "Once", 4, TERN_TOKENIZE_ADD_SPECIAL, tokens, 8, &n_tokens) ==
        TERN_OK);
  CHECK(tern_session_evaluate(*session, tokens, n_tokens, NULL, 0) == TERN_OK);

  tern_sampler_options_init(&sampler);
  sampler.temperature = 0.5f;
  sampler.top_k = 3;
  sampler.top_p = 0.9f;
  sampler.min_p = 0.1f;
  sampler.repeat_penalty = 1.1f;
  sampler.seed = 7;
  sampler.mask = mask; /* the first 128 tokens */
  sampler.mask_size = sizeof(mask) / sizeof(mask[0]);
  sampler.biases = &bias;
  sampler.n_biases = 1;
  CHECK((tern_model_n_tokens(*model) + 63) / 64 <= sampler.mask_size);
  CHECK(tern_session_sample(*session, &sampler, &token) == TERN_OK && token == 5);

  tern_generate_options_init(&generate);
  generate.max_tokens = 6;
  CHECK(tern_session_generate(*session, &generate, on_text, &n_bytes, &n_generated, &reason) ==
        TERN_OK);
  CHECK(n_generated == 6 && n_bytes > 6 && reason == TERN_STOP_MAX_TOKENS);
  sampler.struct_size = 4;
  CHECK(tern_session_sample(*session, &sampler, &token) == TERN_INVALID_ARGUMENT);
  return 0;
}

int main(int argc, char** argv) {
  tern_model* model = NULL;
  tern_session* session = NULL;
  size_t n_blocks = 0;
  const tern_allocator allocator = {&n_blocks, allocate, release};
  const int line = argc == 2 ? run(argv[1], &allocator, &model, &session) : __LINE__;
  tern_session_free(session);
  tern_model_free(model);
  return line == 0 && n_blocks == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
