/* A game loop: 60 frames a second, a stub of physics, and a character who thinks 2 ms a frame.
**
**     game_loop [MODEL [FRAMES]]
**
** Says the character's lines on standard output and how the frames went on standard error; with
** TERN_GAME_TIMES=FILE the microseconds of each frame's step go there, a line each. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tern.h"

enum { FRAME_US = 16667, BUDGET_US = 2000, MOST_FRAMES = 100000, MOST_TOKENS = 200 };

static void must(tern_status status) {
  if (status == TERN_OK) return;
  fprintf(stderr, "game_loop: %s\n", tern_last_error_message());
  exit(1);
}

static int64_t now_us(void) {
  struct timespec t;
  timespec_get(&t, TIME_UTC);
  return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* A hundred balls in a box, for something else to do. */
typedef struct World {
  float x[100], v[100];
} World;
static void move(World* world, float seconds) {
  for (int i = 0; i < 100; ++i) {
    world->v[i] -= 9.81f * seconds;
    world->x[i] += world->v[i] * seconds;
    if (world->x[i] < 0) {
      world->x[i] = -world->x[i];
      world->v[i] = -0.9f * world->v[i];
    }
  }
}

static int by_value(const void* a, const void* b) {
  const int64_t left = *(const int64_t*)a;
  const int64_t right = *(const int64_t*)b;
  return left < right ? -1 : left > right;
}

int main(int argc, char** argv) {
  const char* path = argc > 1 ? argv[1] : "examples/models/stories.gguf";
  int n_frames = argc > 2 ? atoi(argv[2]) : 300;
  if (n_frames < 1 || n_frames > MOST_FRAMES) n_frames = 300;

  tern_model* model;
  tern_session* session;
  tern_session_options options;
  tern_session_options_init(&options);
  options.context = 512;
  must(tern_model_load_file(path, strlen(path), NULL, &model));
  must(tern_session_create(model, &options, &session));

  const char* prompt = "Once upon a time, a brave knight";
  int32_t tokens[64];
  size_t n = 0;
  must(tern_model_tokenize(model, prompt, strlen(prompt), TERN_TOKENIZE_ADD_SPECIAL, tokens, 64,
                           &n));
  must(tern_session_begin(session, tokens, n));

  tern_sampler_options sampler;
  tern_sampler_options_init(&sampler);
  sampler.temperature = 0.8f;
  sampler.top_k = 40;
  sampler.seed = 7;

  World world;
  memset(&world, 0, sizeof(world));
  for (int i = 0; i < 100; ++i) world.x[i] = 1.0f + 0.05f * (float)i;
  static int64_t times[MOST_FRAMES];
  int n_times = 0;
  int n_tokens = 0;
  int is_thinking = 1;
  int64_t next = now_us();
  for (int frame = 0; frame < n_frames; ++frame) {
    move(&world, (float)FRAME_US * 1e-6f);
    if (is_thinking) {
      const int64_t start = now_us();
      int32_t done = 0;
      must(tern_session_step(session, BUDGET_US, &done));
      if (done) {
        int32_t token = 0;
        must(tern_session_sample(session, &sampler, &token));
        char text[256];
        size_t size = 0;
        must(tern_model_detokenize(model, &token, 1, TERN_DETOKENIZE_CONTINUES, text, sizeof(text),
                                   &size));
        fwrite(text, 1, size, stdout);
        fflush(stdout);
        is_thinking = !tern_model_is_end_of_generation(model, token) && ++n_tokens < MOST_TOKENS;
        if (is_thinking) must(tern_session_begin(session, &token, 1));
      }
      times[n_times++] = now_us() - start;
    }
    next += FRAME_US;
    while (now_us() < next) {
      /* The rest of the game. */
    }
  }
  putchar('\n');

  const char* out = getenv("TERN_GAME_TIMES");
  FILE* file = out != NULL ? fopen(out, "w") : NULL;
  for (int i = 0; file != NULL && i < n_times; ++i) fprintf(file, "%d\n", (int)times[i]);
  if (file != NULL) fclose(file);
  qsort(times, (size_t)n_times, sizeof(times[0]), by_value);
  fprintf(stderr, "%d frames, %d tokens; of 2000 us a frame: median %d, p99 %d, most %d\n", n_times,
          n_tokens, (int)times[n_times / 2], (int)times[n_times * 99 / 100],
          (int)times[n_times - 1]);
  tern_session_free(session);
  tern_model_free(model);
  return 0;
}
