/* A game loop: 60 frames a second, a stub of physics, and a character who thinks 2 ms a frame.
**
**     game_loop [MODEL [LINES]]
**
** Says so many lines of the character on standard output, the same on every machine, and how the
** frames went on standard error; with TERN_GAME_TIMES=FILE the microseconds that each frame gave to
** the character go there, a line each. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tern.h"

enum { FRAME_US = 16667, BUDGET_US = 2000, MOST_FRAMES = 100000, MOST_TOKENS = 200 };

static const char kPrompt[] = "Once upon a time, a brave knight";

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

/* Someone who says line after line; each grows by the tokens that a frame has time for. */
typedef struct Character {
  tern_model* model;
  tern_session* session;
  tern_sampler_options sampler;
  int n_lines;  /* still to be said */
  int n_tokens; /* of this line */
  int n_said;   /* tokens of all lines */
} Character;

static void begin_line(Character* self) {
  int32_t tokens[64];
  size_t n = 0;
  must(tern_model_tokenize(self->model, kPrompt, strlen(kPrompt), TERN_TOKENIZE_ADD_SPECIAL, tokens,
                           64, &n));
  must(tern_session_reset(self->session));
  must(tern_session_begin(self->session, tokens, n));
  self->n_tokens = 0;
  ++self->sampler.seed;
}

/* Draws the token that comes next, says it, and begins to think about the one after. */
static void say_token(Character* self) {
  int32_t token = 0;
  char text[256];
  size_t size = 0;
  must(tern_session_sample(self->session, &self->sampler, &token));
  must(tern_model_detokenize(self->model, &token, 1, TERN_DETOKENIZE_CONTINUES, text, sizeof(text),
                             &size));
  fwrite(text, 1, size, stdout);
  ++self->n_said;
  if (!tern_model_is_end_of_generation(self->model, token) && ++self->n_tokens < MOST_TOKENS) {
    must(tern_session_begin(self->session, &token, 1));
    return;
  }
  putchar('\n');
  if (--self->n_lines > 0) begin_line(self);
}

/* Spends the budget: tokens for as long as it lasts, the last one of them as far as it comes. */
static void think(Character* self, int64_t budget_us) {
  const int64_t end = now_us() + budget_us;
  int64_t left = budget_us;
  while (self->n_lines > 0 && left > 0) {
    int32_t is_done = 0;
    must(tern_session_step(self->session, (uint64_t)left, &is_done));
    if (!is_done) break; /* no time for another slice: go on in the next frame */
    say_token(self);
    left = end - now_us();
  }
  fflush(stdout);
}

static int by_value(const void* a, const void* b) {
  const int64_t left = *(const int64_t*)a;
  const int64_t right = *(const int64_t*)b;
  return left < right ? -1 : left > right;
}

int main(int argc, char** argv) {
  const char* path = argc > 1 ? argv[1] : "examples/models/stories.gguf";
  Character knight;
  memset(&knight, 0, sizeof(knight));
  knight.n_lines = argc > 2 ? atoi(argv[2]) : 3;
  if (knight.n_lines < 1) knight.n_lines = 1;

  tern_session_options options;
  tern_session_options_init(&options);
  options.context = 512;
  must(tern_model_load_file(path, strlen(path), NULL, &knight.model));
  must(tern_session_create(knight.model, &options, &knight.session));
  tern_sampler_options_init(&knight.sampler);
  knight.sampler.temperature = 0.8f;
  knight.sampler.top_k = 40;
  begin_line(&knight);

  World world;
  memset(&world, 0, sizeof(world));
  for (int i = 0; i < 100; ++i) world.x[i] = 1.0f + 0.05f * (float)i;
  static int64_t times[MOST_FRAMES];
  int n_frames = 0;
  int64_t next = now_us();
  while (knight.n_lines > 0 && n_frames < MOST_FRAMES) {
    move(&world, (float)FRAME_US * 1e-6f);
    const int64_t start = now_us();
    think(&knight, BUDGET_US);
    times[n_frames++] = now_us() - start;
    next += FRAME_US;
    while (now_us() < next) {
      /* The rest of the game. */
    }
  }

  const char* out = getenv("TERN_GAME_TIMES");
  FILE* file = out != NULL ? fopen(out, "w") : NULL;
  for (int i = 0; file != NULL && i < n_frames; ++i) fprintf(file, "%d\n", (int)times[i]);
  if (file != NULL) fclose(file);
  qsort(times, (size_t)n_frames, sizeof(times[0]), by_value);
  fprintf(stderr, "%d frames, %d tokens; of 2000 us a frame: median %d, p99 %d, most %d\n",
          n_frames, knight.n_said, (int)times[n_frames / 2], (int)times[n_frames * 99 / 100],
          (int)times[n_frames - 1]);
  tern_session_free(knight.session);
  tern_model_free(knight.model);
  return 0;
}
