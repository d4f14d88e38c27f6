/*
** A host in plain C99: the whole tour of the C interface, linked by the C compiler.
**
**     c99_program MODEL.gguf
*/
#include <stdlib.h>
#include <string.h>

#include "tern.h"

struct story {
  size_t bytes;
  uint32_t tokens;
};

static int32_t on_text(void* user, const char* text, size_t size, int32_t token) {
  struct story* story = user;
  story->bytes += text != NULL ? size : 0;
  story->tokens += token >= 0 ? 1u : 0u;
  return story->tokens == 12 ? 1 : 0;
}

#define CHECK(condition)               \
  do {                                 \
    if (!(condition)) return __LINE__; \
  } while (0)

/* 0, or the line that failed. */
static int run(const char* path, tern_model** model, tern_session** session, int32_t** tokens) {
  const char prompt[] = "Once upon a time";
  struct story story = {0, 0};
  tern_load_options load;
  tern_session_options options;
  tern_generate_options generate;
  size_t n = 0, n_logits = 0;
  const float* logits = NULL;
  uint32_t n_generated = 0;
  int32_t next = -1, reason = -1;

  tern_load_options_init(&load);
  load.isa = "scalar";
  load.isa_size = strlen(load.isa);
  CHECK(tern_model_load_file("no such file", 12, &load, model) == TERN_NOT_FOUND);
  CHECK(tern_last_error_status() == TERN_NOT_FOUND && *model == NULL);
  CHECK(tern_model_load_file(path, strlen(path), &load, model) == TERN_OK);
  CHECK(strcmp(tern_model_isa(*model, NULL), "scalar") == 0);

  tern_session_options_init(&options);
  options.context = 64;
  CHECK(tern_session_create(*model, &options, session) == TERN_OK);

  CHECK(tern_model_tokenize(*model, prompt, strlen(prompt), TERN_TOKENIZE_ADD_SPECIAL, NULL, 0,
                            &n) == TERN_BUFFER_TOO_SMALL);
  *tokens = malloc(n * sizeof(**tokens));
  CHECK(*tokens != NULL);
  CHECK(tern_model_tokenize(*model, prompt, strlen(prompt), TERN_TOKENIZE_ADD_SPECIAL, *tokens, n,
                            &n) == TERN_OK);
  CHECK(tern_session_evaluate(*session, *tokens, n, NULL, 0) == TERN_OK);
  CHECK(tern_session_logits(*session, &logits, &n_logits) == TERN_OK);
  CHECK(n_logits == tern_model_vocab_size(*model));
  CHECK(tern_session_sample(*session, NULL, &next) == TERN_OK);
  CHECK(next >= 0 && (uint32_t)next < tern_model_n_tokens(*model));

  tern_generate_options_init(&generate);
  CHECK(tern_session_generate(*session, &generate, on_text, &story, &n_generated, &reason) ==
        TERN_OK);
  CHECK(reason == TERN_STOP_CALLBACK && n_generated == 12 && story.bytes > 12);
  return 0;
}

int main(int argc, char** argv) {
  tern_model* model = NULL;
  tern_session* session = NULL;
  int32_t* tokens = NULL;
  const int line = argc == 2 ? run(argv[1], &model, &session, &tokens) : __LINE__;
  tern_session_free(session);
  tern_model_free(model);
  free(tokens);
  return line == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
