#include "io/admin_http.h"

#include <civetweb.h>

#include <string_view>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace longtail {
namespace {

constexpr const char* kThreads = "4";
constexpr const char* kRequestTimeoutMs = "5000";
constexpr const char* kRequestBytesMax = "16384";

const char* Reason(int code) {
  switch (code) {
    case 200:
      return "OK";
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

class CivetServer final : public AdminHttp {
 public:
  explicit CivetServer(Pages pages) : pages_(std::move(pages)) {}
  ~CivetServer() override {
    if (context_ != nullptr) mg_stop(context_);
  }

  absl::Status Run(const std::string& listen) {
    const std::size_t colon = listen.rfind(':');
    std::uint32_t port = 0;
    if (colon == std::string::npos || colon == 0 ||
        !absl::SimpleAtoi(listen.substr(colon + 1), &port) || port > 65535) {
      return absl::InvalidArgumentError(
          absl::StrCat("admin address '", listen, "': want HOST:PORT, as 127.0.0.1:9640"));
    }
    const char* options[] = {"listening_ports",
                             listen.c_str(),
                             "num_threads",
                             kThreads,
                             "request_timeout_ms",
                             kRequestTimeoutMs,
                             "max_request_size",
                             kRequestBytesMax,
                             "tcp_nodelay",
                             "1",
                             nullptr};
    mg_callbacks callbacks{};
    callbacks.log_message = [](const mg_connection*, const char*) { return 1; };  // Keeps silent.
    mg_init_data init{.callbacks = &callbacks, .user_data = this, .configuration_options = options};
    char text[256] = "";
    unsigned code = 0;
    mg_error_data error{.code = &code, .text = text, .text_buffer_size = sizeof(text)};
    context_ = mg_start2(&init, &error);
    if (context_ == nullptr) {
      return absl::UnavailableError(
          absl::StrCat("admin address '", listen, "': cannot be listened on: ", text));
    }
    mg_server_port bound{};
    if (mg_get_server_ports(context_, 1, &bound) == 1) port = static_cast<unsigned>(bound.port);
    address_ = absl::StrCat(listen.substr(0, colon), ":", port);
    mg_set_request_handler(
        context_, "**",
        [](mg_connection* connection, void* self) {
          // CivetWeb's threads have a hundred KiB of stack, which pages may not do with.
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
    Answer answer;
    if (method != "GET" && method != "HEAD") {
      answer = {.code = 405, .body = "only GET and HEAD: nothing is changed here\n"};
    } else if (const auto page = pages_.find(request->local_uri); page != pages_.end()) {
      answer = page->second();
    } else {
      answer = {.code = 404, .body = "no such page; there are:\n"};
      for (const auto& [path, unused] : pages_) absl::StrAppend(&answer.body, path, "\n");
    }
    // The pages have all they show in them.
    const std::string head = absl::StrCat(
        "HTTP/1.1 ", answer.code, " ", Reason(answer.code), "\r\nContent-Type: ", answer.type,
        "\r\nContent-Length: ", answer.body.size(),
        "\r\nConnection: close\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "
        "script-src 'unsafe-inline'; connect-src 'self'; img-src data:; frame-ancestors 'none'"
        "\r\n\r\n");
    mg_write(connection, head.data(), head.size());
    if (method != "HEAD") mg_write(connection, answer.body.data(), answer.body.size());
    return answer.code;
  }

  const Pages pages_;
  std::string address_;
  mg_context* context_ = nullptr;
};

}  // namespace

absl::StatusOr<std::unique_ptr<AdminHttp>> AdminHttp::Start(const std::string& listen,
                                                            Pages pages) {
  auto server = std::make_unique<CivetServer>(std::move(pages));
  LONGTAIL_RETURN_IF_ERROR(server->Run(listen));
  return server;
}

}  // namespace longtail
