// What the benchmarks of guessed tokens have the story model write.
#pragma once

struct StoryText {
  const char* name;
  const char* prompt;
  float temperature;
};
/// Stories, and the same sentence again and again.
constexpr StoryText kStoryTexts[] = {
    {"plain", "Once upon a time there was a little girl", 0.8f},
    {"repetitive", "Row, row, row your boat. Row, row, row your boat. Row, row, row your boat.",
     0}};
