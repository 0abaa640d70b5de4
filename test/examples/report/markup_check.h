// A small checker of markup: is every element closed, in order, with nothing loose in between?
#pragma once

#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace longtail::examples::test {

/// Returns what is wrong first, or nothing. Takes what XML takes, less comments, CDATA and
/// processing instructions; a doctype may stand before it.
inline std::string MarkupError(std::string_view text) {
  constexpr std::string_view kDoctype = "<!DOCTYPE html>\n";
  if (text.starts_with(kDoctype)) text.remove_prefix(kDoctype.size());
  std::vector<std::string> open;
  std::size_t i = 0;
  const auto error = [&](const std::string& what) {
    return what + " before: " + std::string(text.substr(i, 60));
  };
  while (i < text.size()) {
    if (text[i] == '&') {
      const std::size_t end = text.find(';', i);
      const std::string_view entity = text.substr(i, end - i);
      const bool known = entity == "&amp" || entity == "&lt" || entity == "&gt" ||
                         entity == "&quot" || entity == "&#39";
      if (end == std::string_view::npos || !known) return error("entity");
      i = end + 1;
      continue;
    }
    if (text[i] == '>') return error("loose >");
    if (text[i] != '<') {
      ++i;
      continue;
    }
    const bool closing = text.substr(i).starts_with("</");
    std::size_t at = i + (closing ? 2 : 1);
    std::string name;
    while (at < text.size() && std::isalnum(static_cast<unsigned char>(text[at])) != 0) {
      name += text[at++];
    }
    if (name.empty()) return error("tag without a name");
    bool quoted = false;
    for (; at < text.size() && (quoted || text[at] != '>'); ++at) {
      if (text[at] == '<') return error("< within a tag");
      if (text[at] == '"') quoted = !quoted;
    }
    if (at == text.size()) return error("tag without an end");
    const bool empty_element = text[at - 1] == '/';
    if (closing) {
      if (open.empty() || open.back() != name) return error("</" + name + "> closes nothing");
      open.pop_back();
    } else if (!empty_element) {
      open.push_back(name);
    }
    i = at + 1;
  }
  return open.empty() ? std::string() : "<" + open.back() + "> is never closed";
}

}  // namespace longtail::examples::test
