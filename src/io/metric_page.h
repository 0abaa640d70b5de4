// Figures in the text format that Prometheus reads.
//
// Source: "Exposition formats" and "Metric and label naming" of Prometheus's documentation.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "io/loop_meter.h"

namespace longtail {

/// What belongs to one name must be told one after another. Thread: one.
class MetricPage {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  MetricPage();
  ~MetricPage();

  /// What only grows while the process lives; its name ends with _total.
  void Counter(std::string_view name, std::string_view help, double value, Labels labels = {});
  void Counter(std::string_view name, std::string_view help, std::uint64_t value,
               Labels labels = {}) {
    Counter(name, help, static_cast<double>(value), labels);
  }

  /// What goes up and down.
  void Gauge(std::string_view name, std::string_view help, double value, Labels labels = {});
  void Gauge(std::string_view name, std::string_view help, std::uint64_t value,
             Labels labels = {}) {
    Gauge(name, help, static_cast<double>(value), labels);
  }

  /// In seconds; its name ends with _seconds.
  void Durations(std::string_view name, std::string_view help,
                 const DurationCounts::Reading& durations, Labels labels = {});

  /// All of it.
  std::string Text() const;

  /// The type of that text.
  static constexpr std::string_view kType = "text/plain; version=0.0.4; charset=utf-8";

 private:
  struct Families;
  const std::unique_ptr<Families> families_;
};

}  // namespace longtail
