// Chat templates built like those that are published, and what their documentation says they write.
// Serves chat_template.hpp.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "text/template_fixture.hpp"

using tern::ChatMessage;
using tern::ChatRole;
using tern::Status;
using tern_test::render_template;
using tern_test::template_error;

namespace {

const std::vector<ChatMessage> kTalk = {{ChatRole::system, "Be brief."},
                                        {ChatRole::user, " Hello "},
                                        {ChatRole::assistant, "Hi"},
                                        {ChatRole::user, "Bye"}};
const std::vector<ChatMessage> kNoSystem = {kTalk[1], kTalk[2], kTalk[3]};

}  // namespace

TEST_CASE("ChatML in one loop", "[template]") {
  constexpr std::string_view kSource =
      "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + "
      "message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
      "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
  CHECK(render_template(kSource, kTalk).marked ==
        "<|im_start|>system\n{Be brief.}<|im_end|>\n<|im_start|>user\n{ Hello }<|im_end|>\n"
        "<|im_start|>assistant\n{Hi}<|im_end|>\n<|im_start|>user\n{Bye}<|im_end|>\n"
        "<|im_start|>assistant\n");
  CHECK(render_template(kSource, {kTalk[2]}, {false, false}).text ==
        "<|im_start|>assistant\nHi<|im_end|>\n");
}

TEST_CASE("Qwen2 has a system text of its own", "[template]") {
  constexpr std::string_view kSource =
      "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
      "{{ '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}{% endif %}"
      "{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}"
      "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
  CHECK(render_template(kSource, {kTalk[3]}).text ==
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
        "<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n");
  CHECK(render_template(kSource, {kTalk[0], kTalk[3]}).text ==
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n"
        "<|im_start|>assistant\n");
}

TEST_CASE("Qwen3 looks for the last question from behind and takes thoughts off", "[template]") {
  constexpr std::string_view kSource = R"({%- if tools %}
    {{- '<tools>' }}
    {%- for tool in tools %}
        {{- tool | tojson }}
    {%- endfor %}
{%- else %}
    {%- if messages[0].role == 'system' %}
        {{- '<|im_start|>system\n' + messages[0].content + '<|im_end|>\n' }}
    {%- endif %}
{%- endif %}
{%- set ns = namespace(searching=true, last=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.searching and message.role == "user" and message.content is string %}
        {%- set ns.searching = false %}
        {%- set ns.last = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.content is string %}
        {%- set content = message.content %}
    {%- else %}
        {%- set content = '' %}
    {%- endif %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\n' + content + '<|im_end|>' + '\n' }}
    {%- elif message.role == "assistant" %}
        {%- set thoughts = '' %}
        {%- if message.reasoning_content is string %}
            {%- set thoughts = message.reasoning_content %}
        {%- else %}
            {%- if '</think>' in content %}
                {%- set thoughts = content.split('</think>')[0].rstrip('\n').split('<think>')[-1] %}
                {%- set content = content.split('</think>')[-1].lstrip('\n') %}
            {%- endif %}
        {%- endif %}
        {%- if loop.index0 > ns.last and (loop.last or thoughts) %}
            {{- '<|im_start|>' + message.role + '\n<think>\n' + thoughts.strip('\n') }}
            {{- '\n</think>\n\n' + content.lstrip('\n') }}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\n' + content }}
        {%- endif %}
        {%- if message.tool_calls %}
            {{- message.tool_calls | tojson }}
        {%- endif %}
        {{- '<|im_end|>\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\n\n</think>\n\n' }}
    {%- endif %}
{%- endif %})";
  const std::vector<ChatMessage> messages = {
      kTalk[0],
      {ChatRole::user, "Two?"},
      {ChatRole::assistant, "<think>\nHm.\n</think>\n\nYes."},
      {ChatRole::user, "Sure?"}};
  CHECK(render_template(kSource, messages).marked ==
        "<|im_start|>system\n{Be brief.}<|im_end|>\n<|im_start|>user\n{Two?}<|im_end|>\n"
        "<|im_start|>assistant\n{Yes.}<|im_end|>\n<|im_start|>user\n{Sure?}<|im_end|>\n"
        "<|im_start|>assistant\n");
  CHECK(render_template(kSource, {messages[1], messages[2]}, {false, false}).marked ==
        "<|im_start|>user\n{Two?}<|im_end|>\n<|im_start|>assistant\n<think>\n{Hm.}\n</think>\n\n"
        "{Yes.}<|im_end|>\n");
}

TEST_CASE("Mistral wants turns to alternate", "[template]") {
  constexpr std::string_view kSource =
      "{{ bos_token }}{% for message in messages %}"
      "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
      "{{ raise_exception('Conversation roles must alternate user/assistant/...') }}{% endif %}"
      "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
      "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token }}"
      "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}"
      "{% endfor %}";
  CHECK(render_template(kSource, kNoSystem).marked ==
        "<s>[INST] { Hello } [/INST]{Hi}</s>[INST] {Bye} [/INST]");
  CHECK(render_template(kSource, kNoSystem, {true, true}).text ==
        "[INST]  Hello  [/INST]Hi</s>[INST] Bye [/INST]");
  const auto error = template_error(kSource, kTalk);
  CHECK(error.status == Status::invalid_argument);
  CHECK(std::string(error.subject) == "Conversation roles must alternate user/assistant/...");
}

TEST_CASE("later Mistral templates put the system's text into the last question", "[template]") {
  constexpr std::string_view kSource = R"({%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if tools is not none and (message == user_messages[-1]) %}
            {{- "[AVAILABLE_TOOLS] [" }}
        {%- endif %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\n\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token }}
    {%- endif %}
{%- endfor %}
)";
  CHECK(render_template(kSource, kTalk).marked ==
        "<s>[INST] { Hello }[/INST] {Hi}</s>[INST] {Be brief.}\n\n{Bye}[/INST]");
}

TEST_CASE("Llama 2 wraps the system's text", "[template]") {
  constexpr std::string_view kSource =
      "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}"
      "{% set system_message = messages[0]['content'] %}{% else %}"
      "{% set loop_messages = messages %}{% set system_message = false %}{% endif %}"
      "{% for message in loop_messages %}"
      "{% if loop.index0 == 0 and system_message != false %}"
      "{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}"
      "{% else %}{% set content = message['content'] %}{% endif %}"
      "{% if message['role'] == 'user' %}"
      "{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
      "{% elif message['role'] == 'assistant' %}{{ ' '  + content.strip() + ' ' + eos_token }}"
      "{% endif %}{% endfor %}";
  CHECK(render_template(kSource, kTalk).marked ==
        "<s>[INST] <<SYS>>\n{Be brief.}\n<</SYS>>\n\n{ Hello} [/INST] {Hi} </s>"
        "<s>[INST] {Bye} [/INST]");
}

TEST_CASE("Gemma calls the assistant model and knows no system", "[template]") {
  constexpr std::string_view kSource =
      "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
      "{{ raise_exception('System role not supported') }}{% endif %}"
      "{% for message in messages %}{% if (message['role'] == 'assistant') %}"
      "{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}"
      "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}"
      "{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}";
  CHECK(render_template(kSource, kNoSystem).marked ==
        "<s><start_of_turn>user\n{Hello}<end_of_turn>\n<start_of_turn>model\n{Hi}<end_of_turn>\n"
        "<start_of_turn>user\n{Bye}<end_of_turn>\n<start_of_turn>model\n");
  CHECK(std::string(template_error(kSource, kTalk).subject) == "System role not supported");
}

TEST_CASE("Phi-3 and Zephyr write the same roles and end turns differently", "[template]") {
  constexpr std::string_view kPhi =
      "{% for message in messages %}{% if message['role'] == 'system' %}"
      "{{'<|system|>\n' + message['content'] + '<|end|>\n'}}"
      "{% elif message['role'] == 'user' %}{{'<|user|>\n' + message['content'] + '<|end|>\n'}}"
      "{% elif message['role'] == 'assistant' %}"
      "{{'<|assistant|>\n' + message['content'] + '<|end|>\n'}}{% endif %}{% endfor %}"
      "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}";
  CHECK(render_template(kPhi, kTalk).marked ==
        "<|system|>\n{Be brief.}<|end|>\n<|user|>\n{ Hello }<|end|>\n<|assistant|>\n{Hi}<|end|>\n"
        "<|user|>\n{Bye}<|end|>\n<|assistant|>\n");
  CHECK(render_template(kPhi, {kTalk[3]}, {false, false}).text == "<|user|>\nBye<|end|>\n</s>");
  constexpr std::string_view kZephyr =
      "{% for message in messages %}\n{% if message['role'] == 'user' %}\n"
      "{{ '<|user|>\n' + message['content'] + eos_token }}\n"
      "{% elif message['role'] == 'system' %}\n"
      "{{ '<|system|>\n' + message['content'] + eos_token }}\n"
      "{% elif message['role'] == 'assistant' %}\n"
      "{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}\n"
      "{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n"
      "{% endfor %}";
  CHECK(render_template(kZephyr, kTalk).marked ==
        "<|system|>\n{Be brief.}</s>\n<|user|>\n{ Hello }</s>\n<|assistant|>\n{Hi}</s>\n"
        "<|user|>\n{Bye}</s>\n<|assistant|>\n");
}

TEST_CASE("Llama 3 has headers, and later a date that it can do without", "[template]") {
  constexpr std::string_view kFirst =
      "{% set loop_messages = messages %}{% for message in loop_messages %}"
      "{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ "
      "message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}"
      "{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}"
      "{% if add_generation_prompt %}"
      "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}";
  CHECK(render_template(kFirst, {kTalk[0], kTalk[1]}).marked ==
        "<s><|start_header_id|>system<|end_header_id|>\n\n{Be brief.}<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\n{Hello}<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n");
  constexpr std::string_view kLater = R"({{- bos_token }}
{%- if custom_tools is defined %}
    {%- set tools = custom_tools %}
{%- endif %}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\n\n" }}
{%- if tools is not none %}
    {{- "Environment: ipython\n" }}
{%- endif %}
{{- "Today Date: " + date_string + "\n\n" }}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' }}
        {{- message['content'] | trim + '<|eot_id|>' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}
{%- endif %}
)";
  CHECK(render_template(kLater, {kTalk[0], kTalk[1]}).marked ==
        "<s><|start_header_id|>system<|end_header_id|>\n\nToday Date: 26 Jul 2024\n\n{Be brief.}"
        "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n{Hello}<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n");
}

TEST_CASE("BitNet capitalizes roles, and Falcon 3 brackets them", "[template]") {
  constexpr std::string_view kBitnet =
      "{% set loop_messages = messages %}{% for message in loop_messages %}"
      "{% set content = message['role'] | capitalize + ': '+ message['content'] | trim + "
      "'<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}"
      "{{ content }}{% endfor %}{% if add_generation_prompt %}{{ 'Assistant: ' }}{% endif %}";
  CHECK(render_template(kBitnet, kTalk).marked ==
        "<s>System: {Be brief.}<|eot_id|>User: {Hello}<|eot_id|>Assistant: {Hi}<|eot_id|>"
        "User: {Bye}<|eot_id|>Assistant: ");
  constexpr std::string_view kFalcon =
      "{% for message in messages %}{% if message['role'] == 'assistant' %}{% if not loop.last %}"
      "{{ '<|assistant|>\n' + message['content'] + eos_token + '\n' }}{% else %}"
      "{{ '<|assistant|>\n' + message['content'] + eos_token }}{% endif %}{% else %}"
      "{{ '<|' + message['role'] + '|>\n' + message['content'] + '\n' }}{% endif %}"
      "{% if loop.last and add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
      "{% endfor %}";
  CHECK(render_template(kFalcon, kTalk).marked ==
        "<|system|>\n{Be brief.}\n<|user|>\n{ Hello }\n<|assistant|>\n{Hi}</s>\n"
        "<|user|>\n{Bye}\n<|assistant|>\n");
}
