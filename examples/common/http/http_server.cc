#include "examples/common/http/http_server.h"

#include <civetweb.h>

#include <array>
#include <cstdint>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace longtail::examples {
namespace {

constexpr const char* kRequestTimeoutMs = "5000";
constexpr const char* kRequestBytesMax = "16384";

const char* Reason(int code) {
  switch (code) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 503:
      return "Service Unavailable";
    default:
      return "Status";
  }
}

class CivetServer final : public HttpServer {
 public:
  CivetServer(const HttpServerOptions& options, Handler handler)
      : options_(options), handler_(std::move(handler)) {}
  ~CivetServer() override {
    if (context_ != nullptr) mg_stop(context_);
  }

  absl::Status Run() {
    const std::string& listen = options_.listen;
    const std::size_t colon = listen.rfind(':');
    std::uint32_t port = 0;
    if (colon == std::string::npos || colon == 0 ||
        !absl::SimpleAtoi(listen.substr(colon + 1), &port) || port > 65535) {
      return absl::InvalidArgumentError(
          absl::StrCat(options_.name, " '", listen, "': want HOST:PORT, as 127.0.0.1:9640"));
    }
    const std::string threads = absl::StrCat(options_.threads);
    const char* settings[] = {"listening_ports",
                              listen.c_str(),
                              "num_threads",
                              threads.c_str(),
                              "request_timeout_ms",
                              kRequestTimeoutMs,
                              "max_request_size",
                              kRequestBytesMax,
                              "enable_keep_alive",
                              options_.keeps_alive ? "yes" : "no",
                              "tcp_nodelay",
                              "1",
                              nullptr};
    mg_callbacks callbacks{};
    callbacks.log_message = [](const mg_connection*, const char*) { return 1; };  // Keeps silent.
    mg_init_data init{
        .callbacks = &callbacks, .user_data = this, .configuration_options = settings};
    std::array<char, 256> text{};
    unsigned code = 0;
    mg_error_data error{.code = &code, .text = text.data(), .text_buffer_size = text.size()};
    context_ = mg_start2(&init, &error);
    if (context_ == nullptr) {
      return absl::UnavailableError(
          absl::StrCat(options_.name, " '", listen, "': cannot be listened on: ", text.data()));
    }
    mg_server_port bound{};
    if (mg_get_server_ports(context_, 1, &bound) == 1) port = static_cast<unsigned>(bound.port);
    address_ = absl::StrCat(listen.substr(0, colon), ":", port);
    mg_set_request_handler(
        context_, "**",
        [](mg_connection* connection, void* self) {
          // CivetWeb's threads have a hundred KiB of stack, which an answer may not do with.
          int answered = 0;
          std::thread([&] {
            answered = static_cast<const CivetServer*>(self)->Handle(connection);
          }).join();
          return answered;
        },
        this);
    return absl::OkStatus();
  }

  const std::string& address() const override { return address_; }

 private:
  int Handle(mg_connection* connection) const {
    const mg_request_info* const request = mg_get_request_info(connection);
    const std::string_view method = request->request_method;
    Answer answer = {.code = 405, .body = "only GET and HEAD: nothing is changed here\n"};
    if (method == "GET" || method == "HEAD") {
      answer = handler_({.path = request->local_uri,
                         .query = request->query_string == nullptr ? "" : request->query_string});
    }
    // What is shown has all that it needs in itself.
    const std::string head =
        absl::StrCat("HTTP/1.1 ", answer.code, " ", Reason(answer.code),
                     "\r\nContent-Type: ", answer.type, "\r\nContent-Length: ", answer.body.size(),
                     "\r\nConnection: ", options_.keeps_alive ? "keep-alive" : "close",
                     "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
                     "Referrer-Policy: no-referrer\r\nContent-Security-Policy: ",
                     options_.policy, "\r\n\r\n");
    mg_write(connection, head.data(), head.size());
    if (method != "HEAD") mg_write(connection, answer.body.data(), answer.body.size());
    return answer.code;
  }

  const HttpServerOptions options_;
  const Handler handler_;
  std::string address_;
  mg_context* context_ = nullptr;
};

absl::StatusOr<std::string> Decoded(std::string_view text) {
  std::string decoded(text.size() + 1, '\0');
  const int size = mg_url_decode(text.data(), static_cast<int>(text.size()), decoded.data(),
                                 static_cast<int>(decoded.size()), 1);
  if (size < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("query: '", std::string(text), "' cannot be decoded"));
  }
  decoded.resize(static_cast<std::size_t>(size));
  return decoded;
}

}  // namespace

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const HttpServerOptions& options,
                                                              Handler handler) {
  auto server = std::make_unique<CivetServer>(options, std::move(handler));
  LONGTAIL_RETURN_IF_ERROR(server->Run());
  return server;
}

absl::StatusOr<std::vector<std::pair<std::string, std::string>>> QueryParts(
    std::string_view query) {
  std::vector<std::pair<std::string, std::string>> parts;
  if (query.empty()) return parts;
  while (true) {
    const std::size_t end = query.find('&');
    const std::string_view part = query.substr(0, end);
    const std::size_t equals = part.find('=');
    LONGTAIL_ASSIGN_OR_RETURN(std::string name, Decoded(part.substr(0, equals)));
    std::string value;
    if (equals != std::string_view::npos) {
      LONGTAIL_ASSIGN_OR_RETURN(value, Decoded(part.substr(equals + 1)));
    }
    parts.emplace_back(std::move(name), std::move(value));
    if (end == std::string_view::npos) return parts;
    query.remove_prefix(end + 1);
  }
}

}  // namespace longtail::examples
