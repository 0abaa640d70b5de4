#include "io/metric_page.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <sstream>
#include <vector>

namespace longtail {

struct MetricPage::Families {
  prometheus::ClientMetric& Add(prometheus::MetricType type, std::string_view name,
                                std::string_view help, Labels labels) {
    if (all.empty() || all.back().name != name) {
      all.push_back({std::string(name), std::string(help), type, {}});
    }
    prometheus::ClientMetric& metric = all.back().metric.emplace_back();
    for (const auto& [label, value] : labels) {
      metric.label.push_back({std::string(label), std::string(value)});
    }
    return metric;
  }

  std::vector<prometheus::MetricFamily> all;
};

MetricPage::MetricPage() : families_(std::make_unique<Families>()) {}
MetricPage::~MetricPage() = default;

void MetricPage::Counter(std::string_view name, std::string_view help, double value,
                         Labels labels) {
  families_->Add(prometheus::MetricType::Counter, name, help, labels).counter.value = value;
}

void MetricPage::Gauge(std::string_view name, std::string_view help, double value, Labels labels) {
  families_->Add(prometheus::MetricType::Gauge, name, help, labels).gauge.value = value;
}

void MetricPage::Durations(std::string_view name, std::string_view help,
                           const DurationCounts::Reading& durations, Labels labels) {
  prometheus::ClientMetric::Histogram& histogram =
      families_->Add(prometheus::MetricType::Histogram, name, help, labels).histogram;
  histogram.sample_count = durations.count;
  histogram.sample_sum = durations.seconds;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < durations.counts.size(); ++i) {
    sum += durations.counts[i];
    const bool is_last = i == DurationCounts::kBounds.size();
    histogram.bucket.push_back(
        {sum, is_last ? std::numeric_limits<double>::infinity() : DurationCounts::kBounds[i]});
  }
}

std::string MetricPage::Text() const {
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, families_->all);
  return text.str();
}

}  // namespace longtail
