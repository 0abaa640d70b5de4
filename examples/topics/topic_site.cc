#include "examples/topics/topic_site.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "examples/common/http/http_server.h"
#include "examples/common/report/html_element.h"
#include "examples/common/report/number_text.h"
#include "examples/common/report/report_style.h"
#include "examples/common/report/safe_text.h"
#include "nlohmann/json.hpp"

namespace longtail::examples {
namespace {

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

class ServedSite final : public TopicSite {
 public:
  explicit ServedSite(const TopicQuery& query) : query_(query) {}

  absl::Status Run(const std::string& listen) {
    LONGTAIL_ASSIGN_OR_RETURN(
        server_,
        HttpServer::Start({.listen = listen,
                           .policy = "default-src 'none'; style-src 'unsafe-inline'; form-action "
                                     "'self'; base-uri 'none'; frame-ancestors 'none'"},
                          [this](const HttpServer::Request& request) { return Answer(request); }));
    return absl::OkStatus();
  }

  const std::string& address() const override { return server_->address(); }

 private:
  // The text that is asked about; empty if there is no such part of the address.
  static std::string TextOf(const std::string& query) {
    const auto parts = QueryParts(query);
    if (!parts.ok()) return "";
    const auto found = std::ranges::find(*parts, "q", [](const auto& part) { return part.first; });
    return found == parts->end() ? "" : found->second;
  }

  HttpServer::Answer AnswerPage(const std::string& text) const {
    const TopicModel& model = query_.model();
    HttpServer::Answer http = {.type = "text/html; charset=utf-8"};
    if (text.empty()) {
      http.body = Page(model, "", "");
    } else if (const auto answer = query_.Answer(text); answer.ok()) {
      http.body = Page(model, text, ToHtml(*answer));
    } else {
      http.code = 400;
      http.body = Page(model, text, Paragraph(std::string(answer.status().message())));
    }
    return http;
  }

  HttpServer::Answer AnswerJson(const std::string& text) const {
    const auto answer = query_.Answer(text);
    HttpServer::Answer http = {.type = "application/json"};
    if (answer.ok()) {
      http.body = ToJson(*answer);
    } else {
      http.code = 400;
      http.body = nlohmann::json{{"error", std::string(answer.status().message())}}.dump() + "\n";
    }
    return http;
  }

  HttpServer::Answer Answer(const HttpServer::Request& request) const {
    if (request.path == "/") return AnswerPage(TextOf(request.query));
    if (request.path == "/query") return AnswerJson(TextOf(request.query));
    return {.code = 404, .body = "no such page; there are / and /query\n"};
  }

  const TopicQuery& query_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TopicSite>> TopicSite::Show(const std::string& listen,
                                                           const TopicQuery& query) {
  auto site = std::make_unique<ServedSite>(query);
  LONGTAIL_RETURN_IF_ERROR(site->Run(listen));
  return site;
}

}  // namespace longtail::examples
