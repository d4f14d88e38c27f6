/* A chat program that lends tern its own memory and its own threads.
**
**     chat_host [MODEL [THREADS]]       reads a line a turn from standard input
**
** Memory is counted and capped, as a host with a budget does it. Threads are a pool of the host's,
** which runs the tasks that tern hands it. A model without a chat format continues each line. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tern.h"

/* ---- memory: aligned blocks, counted, refused beyond a cap ---- */

typedef struct Budget {
  atomic_size_t live;
  size_t cap;
} Budget;

static void* budget_allocate(void* user, size_t bytes, size_t alignment) {
  Budget* budget = user;
  if (atomic_fetch_add(&budget->live, bytes) + bytes > budget->cap) {
    atomic_fetch_sub(&budget->live, bytes);
    return NULL;
  }
  void* block = NULL;
  if (alignment < sizeof(void*)) alignment = sizeof(void*);
  if (posix_memalign(&block, alignment, bytes) == 0) return block;
  atomic_fetch_sub(&budget->live, bytes);
  return NULL;
}
static void budget_release(void* user, void* block, size_t bytes, size_t alignment) {
  Budget* budget = user;
  (void)alignment;
  atomic_fetch_sub(&budget->live, bytes);
  free(block);
}

/* ---- threads: workers that take the next task of the job at hand ---- */

enum { MOST_THREADS = 16 };

typedef struct Pool {
  pthread_mutex_t lock;
  pthread_cond_t wake, idle;
  pthread_t threads[MOST_THREADS];
  int n_threads; /* besides the caller */
  int is_ending;
  unsigned long job; /* counts up */
  void (*task)(void* context, size_t index);
  void* context;
  size_t n_tasks;
  atomic_size_t next;
  int n_working;
} Pool;

static void work(Pool* pool) {
  size_t i;
  while ((i = atomic_fetch_add(&pool->next, 1)) < pool->n_tasks) pool->task(pool->context, i);
}

static void* worker(void* user) {
  Pool* pool = user;
  unsigned long seen = 0;
  pthread_mutex_lock(&pool->lock);
  for (;;) {
    while (pool->job == seen && !pool->is_ending) pthread_cond_wait(&pool->wake, &pool->lock);
    if (pool->is_ending) break;
    seen = pool->job;
    pthread_mutex_unlock(&pool->lock);
    work(pool);
    pthread_mutex_lock(&pool->lock);
    if (--pool->n_working == 0) pthread_cond_signal(&pool->idle);
  }
  pthread_mutex_unlock(&pool->lock);
  return NULL;
}

static void parallel_for(void* user, size_t n_tasks, void (*task)(void* context, size_t index),
                         void* context) {
  Pool* pool = user;
  pthread_mutex_lock(&pool->lock);
  pool->task = task;
  pool->context = context;
  pool->n_tasks = n_tasks;
  atomic_store(&pool->next, 0);
  pool->n_working = pool->n_threads;
  ++pool->job;
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->lock);
  work(pool);
  pthread_mutex_lock(&pool->lock);
  while (pool->n_working != 0) pthread_cond_wait(&pool->idle, &pool->lock);
  pthread_mutex_unlock(&pool->lock);
}

static void start_pool(Pool* pool, int n_threads) {
  memset(pool, 0, sizeof(*pool));
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->wake, NULL);
  pthread_cond_init(&pool->idle, NULL);
  while (pool->n_threads < n_threads - 1 && pool->n_threads < MOST_THREADS &&
         pthread_create(&pool->threads[pool->n_threads], NULL, worker, pool) == 0) {
    ++pool->n_threads;
  }
}

static void end_pool(Pool* pool) {
  pthread_mutex_lock(&pool->lock);
  pool->is_ending = 1;
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->lock);
  for (int i = 0; i < pool->n_threads; ++i) pthread_join(pool->threads[i], NULL);
}

/* ---- the conversation ---- */

static int32_t on_text(void* user, const char* text, size_t size, int32_t token) {
  (void)user;
  (void)token;
  fwrite(text, 1, size, stdout);
  fflush(stdout);
  return 0;
}

/* One turn: the line into the session, the answer out of it. */
static tern_status take_turn(tern_model* model, tern_session* session, const char* line,
                             int is_chat) {
  static int32_t tokens[8192];
  const int is_first = tern_session_position(session) == 0;
  size_t n = 0;
  tern_status status;
  if (is_chat) {
    const tern_chat_message message = {line, strlen(line), TERN_ROLE_USER};
    status = tern_model_tokenize_chat(model, &message, 1, is_first ? 0 : TERN_CHAT_CONTINUES,
                                      tokens, 8192, &n);
  } else {
    if (!is_first) tern_session_reset(session);
    status = tern_model_tokenize(model, line, strlen(line), TERN_TOKENIZE_ADD_SPECIAL, tokens, 8192,
                                 &n);
  }
  if (status == TERN_OK && n != 0) status = tern_session_evaluate(session, tokens, n, NULL, 0);
  if (status != TERN_OK || n == 0) return status;
  tern_generate_options options;
  tern_generate_options_init(&options);
  options.max_tokens = 200;
  options.flags = is_chat ? TERN_GENERATE_CHAT : 0;
  return tern_session_generate(session, &options, on_text, NULL, NULL, NULL);
}

int main(int argc, char** argv) {
  const char* path = argc > 1 ? argv[1] : "examples/models/stories.gguf";
  Budget budget;
  atomic_init(&budget.live, 0);
  budget.cap = (size_t)4 << 30;
  Pool pool;
  start_pool(&pool, argc > 2 ? atoi(argv[2]) : 2);
  const tern_allocator allocator = {&budget, budget_allocate, budget_release};
  const tern_scheduler scheduler = {&pool, parallel_for, (uint32_t)pool.n_threads + 1};

  tern_model* model = NULL;
  tern_session* session = NULL;
  tern_load_options load_options;
  tern_load_options_init(&load_options);
  load_options.allocator = &allocator;
  load_options.scheduler = &scheduler;
  tern_session_options session_options;
  tern_session_options_init(&session_options);
  session_options.scheduler = &scheduler;

  tern_status status = tern_model_load_file(path, strlen(path), &load_options, &model);
  uint64_t bytes = 0;
  if (status == TERN_OK) status = tern_session_memory(model, &session_options, &bytes);
  if (status == TERN_OK) {
    fprintf(stderr, "%.1f MB for the model, %.1f MB for the session, %d threads\n",
            (double)atomic_load(&budget.live) * 1e-6, (double)bytes * 1e-6, pool.n_threads + 1);
    status = tern_session_create(model, &session_options, &session);
  }
  if (status == TERN_OK) {
    const int is_chat = strcmp(tern_model_chat_format(model, NULL), "none") != 0;
    char line[4096];
    while (status == TERN_OK && fgets(line, sizeof(line), stdin) != NULL) {
      line[strcspn(line, "\n")] = '\0';
      if (line[0] == '\0') continue;
      status = take_turn(model, session, line, is_chat);
      putchar('\n');
    }
  }
  if (status != TERN_OK) fprintf(stderr, "chat_host: %s\n", tern_last_error_message());
  tern_session_free(session);
  tern_model_free(model);
  end_pool(&pool);
  if (atomic_load(&budget.live) != 0) {
    fprintf(stderr, "chat_host: %zu bytes were not given back\n", atomic_load(&budget.live));
    return 1;
  }
  return status == TERN_OK ? 0 : 1;
}
