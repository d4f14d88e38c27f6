# perplexity: counts every token and byte once, gives plausible numbers, and the same ones everywhere.
include(${CMAKE_CURRENT_LIST_DIR}/run_program.cmake)

# In the style of the model's training; over 255 tokens, so that there is a second window.
set(story "Once upon a time, there was a little girl named Mia. Mia had a small red boat. Every day she went to the
river with her boat. One day, the wind was very strong. The boat went far away, and Mia was sad. She sat
down on a big rock and began to cry. A kind duck saw her. \"Why are you sad?\" asked the duck. \"My boat is
gone,\" said Mia. \"Do not worry,\" said the duck. \"I can help you.\" The duck swam down the river. It looked
under the trees and behind the rocks. At last, it found the red boat in the grass. The duck pushed the
boat back to Mia. Mia was so happy. She gave the duck a piece of bread. \"Thank you, duck,\" she said. From
that day on, Mia and the duck were best friends. They played by the river every day. When the sun went
down, Mia waved to the duck and walked home to her mom. Her mom gave her a big hug and some warm soup.
Mia told her mom about the duck. \"You have a very good friend,\" said her mom. Mia smiled and went to bed.
She dreamed of the river, the red boat, and the kind duck.
")
file(WRITE story.txt "${story}")
string(LENGTH "${story}" bytes)
expect_good(tokenize --no-special -f story.txt)
string(REGEX MATCHALL "[0-9]+" ids "${out}")
list(LENGTH ids tokens)

expect_good(perplexity -f story.txt)
set(json "${out}")
foreach(row "tokens;${tokens}" "bytes;${bytes}")
  list(GET row 0 key)
  string(JSON value GET "${json}" ${key})
  list(GET row 1 expected)
  expect(${key} ${expected} ${value})
endforeach()
if(tokens LESS 256)
  message(SEND_ERROR "the story has ${tokens} tokens: one window")
endif()
# The model's own held-out stories give 2.33 nats a token and 0.95 bits a byte.
string(JSON value GET "${json}" nats_per_token)
expect_match("nats_per_token" "^(1\\.[5-9]|2\\.)[0-9]+$" "${value}")
string(JSON value GET "${json}" bits_per_byte)
expect_match("bits_per_byte" "^(0\\.[5-9]|1\\.[0-4])[0-9]+$" "${value}")
string(JSON value GET "${json}" perplexity)
expect_match("perplexity" "^(4\\.[5-9]|[5-9]\\.|1[0-9]\\.)[0-9]+$" "${value}")

foreach(way "--isa;scalar" "-t;1" "-t;5" "--ctx;256" "-m;${STORIES}")
  expect_good(perplexity -f story.txt ${way})
  expect("stdout with ${way}" "${json}" "${out}")
endforeach()

# Less context, worse prediction, the same tokens.
expect_good(perplexity -f story.txt --ctx 16)
string(JSON value GET "${out}" tokens)
expect(tokens ${tokens} ${value})
string(JSON value GET "${out}" nats_per_token)
string(JSON better GET "${json}" nats_per_token)
if(NOT value GREATER better)
  message(SEND_ERROR "windows of 16 predict better than windows of 256: ${value}, ${better}")
endif()

file(WRITE empty.txt "")
expect_failure(1 "empty.txt: no tokens to count" perplexity -f empty.txt)
expect_failure(1 "@stories: a context of one token predicts nothing" perplexity -f story.txt --ctx 1)
