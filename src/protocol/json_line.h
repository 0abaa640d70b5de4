// A JSON document as one line.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace longtail {

/// With its line's end. Bytes that are no text become U+FFFD.
inline std::string JsonLine(const nlohmann::json& document) {
  return document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace longtail
