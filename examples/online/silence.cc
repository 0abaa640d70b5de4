#include "examples/online/silence.h"

#include "absl/strings/str_cat.h"

namespace longtail::examples {
namespace {

constexpr absl::Duration kSaidInterval = absl::Seconds(10);

}  // namespace

void Silence::Note(std::string_view awaited, std::string_view problem, absl::Time now) {
  if (since_ == absl::InfiniteFuture()) {
    since_ = now;
    say_at_ = now + kSaidInterval;
  }
  if (now < say_at_) return;
  say_at_ = now + kSaidInterval;
  sentence_ = absl::StrCat("waits for ", std::string(awaited), ", for ",
                           absl::FormatDuration(absl::Trunc(now - since_, absl::Seconds(1))),
                           problem.empty() ? "" : "; ", std::string(problem));
  out_ << sentence_ << std::endl;
}

void Silence::End() {
  since_ = say_at_ = absl::InfiniteFuture();
  sentence_.clear();
}

}  // namespace longtail::examples
