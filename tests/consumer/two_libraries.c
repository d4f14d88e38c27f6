/* Two libraries of tern in one process, as when a host and a plugin of it bring one each, of whatever
** versions: they share nothing, and one can go while the other runs. Says which versions they are.
**
** Usage: two_libraries MODEL FIRST.so SECOND.so */
#define _POSIX_C_SOURCE 200809L
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tern.h"

#define MUST(condition)                                               \
  do {                                                                \
    if (!(condition)) {                                               \
      fprintf(stderr, "line %d: not so: %s\n", __LINE__, #condition); \
      exit(1);                                                        \
    }                                                                 \
  } while (0)

/* One library, by the functions that are used here. */
struct library {
  void* handle;
  tern_status (*load)(const char*, size_t, const tern_load_options*, tern_model**);
  void (*free_model)(tern_model*);
  tern_status (*create)(const tern_model*, const tern_session_options*, tern_session**);
  void (*free_session)(tern_session*);
  tern_status (*evaluate)(tern_session*, const int32_t*, size_t, float*, size_t);
  tern_status (*logits)(const tern_session*, const float**, size_t*);
  tern_status (*last_error)(void);
  const char* (*version)(void);
  tern_model* model;
  tern_session* session;
};

/* ISO C has no cast from an object's pointer to a function's; POSIX has the bits be the same. */
static void find(const struct library* self, const char* name, void* function) {
  void* symbol = dlsym(self->handle, name);
  MUST(symbol != NULL);
  memcpy(function, &symbol, sizeof(symbol));
}

static void open_library(struct library* self, const char* path) {
  self->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (self->handle == NULL) fprintf(stderr, "%s\n", dlerror());
  MUST(self->handle != NULL);
  find(self, "tern_model_load_file", &self->load);
  find(self, "tern_model_free", &self->free_model);
  find(self, "tern_session_create", &self->create);
  find(self, "tern_session_free", &self->free_session);
  find(self, "tern_session_evaluate", &self->evaluate);
  find(self, "tern_session_logits", &self->logits);
  find(self, "tern_last_error_status", &self->last_error);
  find(self, "tern_version_string", &self->version);
}

static void start(struct library* self, const char* model) {
  MUST(self->load(model, strlen(model), NULL, &self->model) == TERN_OK);
  tern_session_options options;
  memset(&options, 0, sizeof(options));
  options.struct_size = (uint32_t)sizeof(options);
  options.n_threads = 2;
  MUST(self->create(self->model, &options, &self->session) == TERN_OK);
}

/* One more token; the logits. */
static const float* step(struct library* self, int32_t token, size_t* n) {
  const float* logits = NULL;
  MUST(self->evaluate(self->session, &token, 1, NULL, 0) == TERN_OK);
  MUST(self->logits(self->session, &logits, n) == TERN_OK);
  return logits;
}

static void close_library(struct library* self) {
  self->free_session(self->session);
  self->free_model(self->model);
  dlclose(self->handle);
}

int main(int argc, char** argv) {
  struct library first, second;
  MUST(argc == 4);
  open_library(&first, argv[2]);
  open_library(&second, argv[3]);
  MUST(first.handle != second.handle && first.load != second.load);

  /* Each has a last error of its own. */
  tern_model* none = NULL;
  MUST(first.load("no such file", 12, NULL, &none) == TERN_NOT_FOUND);
  MUST(second.load("", 0, NULL, NULL) == TERN_INVALID_ARGUMENT);
  MUST(first.last_error() == TERN_NOT_FOUND);
  MUST(second.last_error() == TERN_INVALID_ARGUMENT);

  printf("%s and %s: ", first.version(), second.version());
  start(&first, argv[1]);
  start(&second, argv[1]);
  for (int32_t token = 1; token < 12; ++token) {
    size_t n = 0, m = 0;
    const float* a = step(&first, token, &n);
    const float* b = step(&second, token, &m);
    MUST(n == m && memcmp(a, b, n * sizeof(float)) == 0);
  }
  close_library(&first);
  size_t n = 0;
  MUST(step(&second, 5, &n) != NULL);
  close_library(&second);
  puts("one answer");
  return 0;
}
