// tern: ternary language models inside your program. This header includes the C++ API.
//
//     auto model = tern::Model::load_file("model.gguf", {});
//     auto session = tern::Session::create(*model, {});
//
// Every fallible call returns a Result; nothing throws, prints or aborts.
#pragma once

#include "tern/base/error_text.hpp"
#include "tern/base/status.hpp"
#include "tern/engine/generate.hpp"
#include "tern/engine/sampler.hpp"
#include "tern/engine/session.hpp"
#include "tern/kernels/registry.hpp"
#include "tern/model/model.hpp"
#include "tern/platform/cpu_features.hpp"
#include "tern/platform/thread_pool.hpp"
#include "tern/text/chat_renderer.hpp"
#include "tern/text/grammar.hpp"
#include "tern/text/stream_decoder.hpp"
#include "tern/text/tokenizer.hpp"
#include "tern/version.hpp"
