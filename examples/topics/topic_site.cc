#include "examples/topics/topic_site.h"

#include <civetweb.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "examples/common/report/html_element.h"
#include "examples/common/report/number_text.h"
#include "examples/common/report/report_style.h"
#include "examples/common/report/safe_text.h"
#include "nlohmann/json.hpp"

namespace longtail::examples {
namespace {

constexpr const char* kThreads = "4";
constexpr const char* kRequestTimeoutMs = "5000";
constexpr const char* kRequestBytesMax = "16384";

struct HttpAnswer {
  int code = 200;
  std::string type = "text/html; charset=utf-8";
  std::string body{};
};

const char* Reason(int code) {
  return code == 200 ? "OK" : code == 400 ? "Bad Request" : code == 404 ? "Not Found" : "Refused";
}

std::string Page(const TopicModel& model, std::string_view text, std::string_view html) {
  return absl::StrCat(
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\"><title>Topics</title><style>",
      std::string(ReportStyle()),
      "</style></head><body><main><h1>Topics of a text</h1><form action=\"/\" method=\"get\" "
      "role=\"search\"><input type=\"search\" name=\"q\" size=\"40\" autofocus aria-label=\"Text\" "
      "value=\"",
      EscapeHtml(text), "\"> <button>Find its topics</button></form>", std::string(html),
      Paragraph(absl::StrCat(model.priors.topic_count(), " topics, ",
                             GroupedText(model.vocabulary.size()), " words.")),
      "</main></body></html>\n");
}

class CivetSite final : public TopicSite {
 public:
  explicit CivetSite(const TopicQuery& query) : query_(query) {}
  ~CivetSite() override {
    if (context_ != nullptr) mg_stop(context_);
  }

  absl::Status Run(const std::string& listen) {
    const std::size_t colon = listen.rfind(':');
    std::uint32_t port = 0;
    if (colon == std::string::npos || colon == 0 ||
        !absl::SimpleAtoi(listen.substr(colon + 1), &port) || port > 65535) {
      return absl::InvalidArgumentError(
          absl::StrCat("address '", listen, "': want HOST:PORT, as 127.0.0.1:8080"));
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
          absl::StrCat("address '", listen, "': cannot be listened on: ", text));
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
            answered = static_cast<const CivetSite*>(self)->Handle(connection);
          }).join();
          return answered;
        },
        this);
    return absl::OkStatus();
  }

  const std::string& address() const override { return address_; }

 private:
  // The text that is asked about; none if there is no such part of the address.
  static std::optional<std::string> TextOf(const mg_request_info& request) {
    const char* const query = request.query_string;
    if (query == nullptr) return std::nullopt;
    std::string text(std::strlen(query) + 1, '\0');
    const int size = mg_get_var(query, text.size() - 1, "q", text.data(), text.size());
    if (size < 0) return std::nullopt;
    text.resize(static_cast<std::size_t>(size));
    return text;
  }

  HttpAnswer AnswerPage(const std::optional<std::string>& text) const {
    const TopicModel& model = query_.model();
    if (!text || text->empty()) return {.body = Page(model, "", "")};
    const auto answer = query_.Answer(*text);
    if (answer.ok()) return {.body = Page(model, *text, ToHtml(*answer))};
    const std::string problem(answer.status().message());
    return {.code = 400, .body = Page(model, *text, Paragraph(problem))};
  }

  HttpAnswer AnswerJson(const std::optional<std::string>& text) const {
    const auto answer = query_.Answer(text.value_or(""));
    HttpAnswer http = {.type = "application/json"};
    if (answer.ok()) {
      http.body = ToJson(*answer);
    } else {
      http.code = 400;
      http.body = nlohmann::json{{"error", std::string(answer.status().message())}}.dump() + "\n";
    }
    return http;
  }

  int Handle(mg_connection* connection) const {
    const mg_request_info* const request = mg_get_request_info(connection);
    const std::string_view method = request->request_method;
    const std::string_view path = request->local_uri;
    HttpAnswer answer = {.code = 404,
                         .type = "text/plain; charset=utf-8",
                         .body = "no such page; there are / and /query\n"};
    if (method != "GET" && method != "HEAD") {
      answer.code = 405;
      answer.body = "only GET and HEAD: nothing is changed here\n";
    } else if (path == "/") {
      answer = AnswerPage(TextOf(*request));
    } else if (path == "/query") {
      answer = AnswerJson(TextOf(*request));
    }
    const std::string head = absl::StrCat(
        "HTTP/1.1 ", answer.code, " ", Reason(answer.code), "\r\nContent-Type: ", answer.type,
        "\r\nContent-Length: ", answer.body.size(),
        "\r\nConnection: close\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
        "Referrer-Policy: no-referrer\r\nContent-Security-Policy: default-src 'none'; style-src "
        "'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'\r\n\r\n");
    mg_write(connection, head.data(), head.size());
    if (method != "HEAD") mg_write(connection, answer.body.data(), answer.body.size());
    return answer.code;
  }

  const TopicQuery& query_;
  std::string address_;
  mg_context* context_ = nullptr;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TopicSite>> TopicSite::Show(const std::string& listen,
                                                           const TopicQuery& query) {
  auto site = std::make_unique<CivetSite>(query);
  LONGTAIL_RETURN_IF_ERROR(site->Run(listen));
  return site;
}

}  // namespace longtail::examples
