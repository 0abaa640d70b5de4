#include "examples/online/prediction_server.h"

#include <array>
#include <atomic>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "absl/base/thread_annotations.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "base/logistic.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "examples/common/http/http_server.h"
#include "examples/online/fm_model.h"
#include "longtail/cluster.h"
#include "longtail/pages.h"

namespace longtail::examples {
namespace {

constexpr std::size_t kFeaturesMax = 1000;
constexpr std::size_t kQueryBytesMax = 12'000;
constexpr absl::Duration kShareInterval = absl::Milliseconds(500);

// One version of the model, and what was asked of it.
struct Version {
  std::string name;
  std::unique_ptr<Cluster> cluster;
  std::unique_ptr<Worker> reader;
  TableId table{};
  std::atomic<std::uint64_t> answers = 0;
  std::atomic<std::uint64_t> failures = 0;
  std::atomic<double> probability_sum = 0;
};

absl::StatusOr<std::unique_ptr<Version>> OpenVersion(const std::string& name,
                                                     const std::string& place,
                                                     const PredictionOptions& options) {
  auto version = std::make_unique<Version>();
  version->name = name;
  LONGTAIL_ASSIGN_OR_RETURN(
      version->cluster,
      Cluster::Remote({.coordinator = place,
                       .join_timeout = absl::ToChronoMilliseconds(options.join_timeout)}));
  const absl::Time until = absl::Now() + options.join_timeout;
  absl::StatusOr<TableId> table = version->cluster->FindTable(kFeatureTable);
  while (absl::IsNotFound(table.status()) && absl::Now() < until) {  // Its trainer may be about to.
    absl::SleepFor(absl::Milliseconds(200));
    table = version->cluster->FindTable(kFeatureTable);
  }
  LONGTAIL_RETURN_IF_ERROR(table.status());
  version->table = *table;
  LONGTAIL_ASSIGN_OR_RETURN(
      version->reader,
      version->cluster->ConnectReader({.timeout = absl::ToChronoMilliseconds(options.timeout),
                                       .retry_after = std::chrono::milliseconds(300)}));
  LONGTAIL_ASSIGN_OR_RETURN(const TableSpec spec, version->reader->Table(*table));
  if (spec.dim != 1 + options.factors) {
    return absl::InvalidArgumentError(
        absl::StrCat("table '", kFeatureTable, "' of '", place, "' has rows of ", spec.dim,
                     " floats: want 1 + --factors, which is ", options.factors));
  }
  return version;
}

struct Query {
  std::string id;
  std::vector<std::string> features;
};

absl::StatusOr<Query> ParseQuery(const std::string& query) {
  if (query.size() > kQueryBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("query of ", query.size(), " bytes: want at most ", kQueryBytesMax));
  }
  LONGTAIL_ASSIGN_OR_RETURN(auto parts, QueryParts(query));
  Query parsed;
  for (auto& [name, value] : parts) {
    if (name == "id") {
      parsed.id = std::move(value);
    } else if (name == "f" && !value.empty()) {
      parsed.features.push_back(std::move(value));
    } else {
      return absl::InvalidArgumentError("query: want id=ID and f=FEATURE, as often as there are");
    }
  }
  if (parsed.features.empty() || parsed.features.size() > kFeaturesMax) {
    return absl::InvalidArgumentError(absl::StrCat(
        parsed.features.size(), " features: want f=FEATURE from once to ", kFeaturesMax, " times"));
  }
  return parsed;
}

class HttpPredictions final : public PredictionServer {
 public:
  explicit HttpPredictions(const PredictionOptions& options) : options_(options) {}
  ~HttpPredictions() override {
    pages_.reset();
    server_.reset();
  }

  absl::Status Run() {
    LONGTAIL_ASSIGN_OR_RETURN(versions_[0], OpenVersion("stable", options_.stable, options_));
    if (!options_.candidate.empty()) {
      if (options_.share_file.empty()) {
        return absl::InvalidArgumentError("candidate: want a file with its share of requests");
      }
      LONGTAIL_ASSIGN_OR_RETURN(versions_[1],
                                OpenVersion("candidate", options_.candidate, options_));
    }
    LONGTAIL_ASSIGN_OR_RETURN(
        server_,
        HttpServer::Start({.listen = options_.listen, .threads = 8, .keeps_alive = true},
                          [this](const HttpServer::Request& request) { return Answer(request); }));
    if (options_.admin.empty()) return absl::OkStatus();
    LONGTAIL_ASSIGN_OR_RETURN(
        pages_, Pages::Show({.listen = options_.admin,
                             .figures = [this](Figures& figures) { AddFigures(figures); }}));
    return absl::OkStatus();
  }

  const std::string& address() const override { return server_->address(); }

 private:
  HttpServer::Answer Answer(const HttpServer::Request& request) {
    if (request.path != "/predict") return Send(404, {{"error", "want /predict"}});
    const absl::StatusOr<Query> query = ParseQuery(request.query);
    if (!query.ok()) return Send(400, {{"error", std::string(query.status().message())}});
    Version& version = *versions_[Candidate(query->id) ? 1 : 0];
    absl::StatusOr<nlohmann::json> answer = Predict(version, *query);
    ++(answer.ok() ? version.answers : version.failures);
    if (!answer.ok()) {
      return Send(503,
                  {{"error", std::string(answer.status().message())}, {"version", version.name}});
    }
    return Send(200, *answer);
  }

  bool Candidate(const std::string& id) {
    return versions_[1] != nullptr && IsCandidates(id, Share());
  }

  // What the file says now; while it says nothing that is a percentage, nobody is the candidate's.
  double Share() {
    const MutexLock lock(&mutex_);
    if (absl::Now() < read_share_at_) return share_;
    read_share_at_ = absl::Now() + kShareInterval;
    std::ifstream file(options_.share_file);
    std::stringstream text;
    text << file.rdbuf();
    double share = 0;
    const std::string said(absl::StripAsciiWhitespace(text.str()));
    const bool is_one = absl::SimpleAtod(said, &share) && share >= 0 && share <= 100;
    share_ = is_one ? share : 0;
    return share_;
  }

  absl::StatusOr<nlohmann::json> Predict(Version& version, const Query& query) const {
    const std::uint32_t dim = 1 + options_.factors;
    std::vector<Key> keys;
    AppendKeys(query.features, keys);
    KeyBatch batch;
    LONGTAIL_RETURN_IF_ERROR(version.reader->Prepare(version.table, keys, batch));
    std::vector<float> values(batch.unique_size() * dim);
    std::vector<std::uint32_t> counts(batch.unique_size());
    const PullItem pull{.keys = &batch, .rows = values, .counts = counts};
    LONGTAIL_RETURN_IF_ERROR(version.reader->Pull({&pull, 1}, {.steps_ahead = std::nullopt}));
    std::vector<const float*> rows;
    for (const std::uint32_t row : batch.inverse()) rows.push_back(&values[row * dim]);
    const double logit = FmLogit(rows, dim);
    const double probability = SigmoidOf(logit, std::exp(-std::abs(logit)));
    version.probability_sum += probability;
    nlohmann::json answer = {{"probability", probability}, {"version", version.name}};
    nlohmann::json& features = answer["features"] = nlohmann::json::array();
    for (const std::string& feature : query.features) {
      const Key key = FeatureKeyOf(feature);
      const auto at = std::ranges::find(batch.keys(), key) - batch.keys().begin();
      features.push_back({{"feature", feature}, {"trained", counts[static_cast<std::size_t>(at)]}});
    }
    return answer;
  }

  static HttpServer::Answer Send(int code, const nlohmann::json& body) {
    // (What is no UTF-8 in a feature comes back as the sign for that.)
    return {.code = code,
            .type = "application/json",
            .body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"};
  }

  void AddFigures(Figures& figures) {
    const auto of_each = [&](const auto& add) {
      for (const auto& version : versions_) {
        if (version != nullptr) add(*version);
      }
    };
    of_each([&](const Version& v) {
      figures.Counter("longtail_online_predictions_total", "Predictions, by version.",
                      static_cast<double>(v.answers), {{"version", v.name}});
    });
    of_each([&](const Version& v) {
      figures.Counter("longtail_online_failed_predictions_total", "Requests without an answer.",
                      static_cast<double>(v.failures), {{"version", v.name}});
    });
    of_each([&](const Version& v) {
      figures.Counter("longtail_online_probability_sum_total",
                      "Sum of predicted probabilities: by the predictions, their mean.",
                      v.probability_sum, {{"version", v.name}});
    });
    figures.Gauge("longtail_online_candidate_percent", "Share of requests of the candidate.",
                  versions_[1] == nullptr ? 0 : Share());
  }

  const PredictionOptions options_;
  std::array<std::unique_ptr<Version>, 2> versions_;  // The second: null without a candidate.
  std::unique_ptr<HttpServer> server_;
  Mutex mutex_;
  double share_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Time read_share_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  std::unique_ptr<Pages> pages_;
};

}  // namespace

bool IsCandidates(const std::string& id, double percent) {
  const std::uint64_t hash = XXH3_64bits(id.data(), id.size());
  return static_cast<double>(hash >> 11) * 0x1p-53 * 100 < percent;
}

absl::StatusOr<std::unique_ptr<PredictionServer>> PredictionServer::Start(
    const PredictionOptions& options) {
  auto server = std::make_unique<HttpPredictions>(options);
  LONGTAIL_RETURN_IF_ERROR(server->Run());
  return server;
}

}  // namespace longtail::examples
