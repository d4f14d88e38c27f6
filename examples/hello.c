/*
** The smallest useful program on the C interface: writes a story.
**
**     hello MODEL.gguf ["Once upon a time"]
*/
#include <stdio.h>
#include <string.h>

#include "tern.h"

static int32_t on_text(void* user, const char* text, size_t size, int32_t token) {
  (void)token;
  if (fwrite(text, 1, size, (FILE*)user) != size) return 1; /* anything but 0 stops the story */
  return fflush((FILE*)user);
}

int main(int argc, char** argv) {
  const char* path = argc > 1 ? argv[1] : "";
  const char* prompt = argc > 2 ? argv[2] : "Once upon a time";
  tern_model* model = NULL;
  tern_session* session = NULL;
  int32_t tokens[256];
  size_t n_tokens = 0;
  tern_status status = tern_model_load_file(path, strlen(path), NULL, &model);

  if (status == TERN_OK) status = tern_session_create(model, NULL, &session);
  if (status == TERN_OK) {
    status = tern_model_tokenize(model, prompt, strlen(prompt), TERN_TOKENIZE_ADD_SPECIAL, tokens,
                                 sizeof(tokens) / sizeof(tokens[0]), &n_tokens);
  }
  if (status == TERN_OK) status = tern_session_evaluate(session, tokens, n_tokens, NULL, 0);
  if (status == TERN_OK) {
    fputs(prompt, stdout);
    status = tern_session_generate(session, NULL, on_text, stdout, NULL, NULL);
    putchar('\n');
  }
  if (status != TERN_OK) fprintf(stderr, "hello: %s: %s\n", path, tern_last_error_message());
  tern_session_free(session);
  tern_model_free(model);
  return status == TERN_OK && !ferror(stdout) ? 0 : 1;
}
