#include "examples/online/join_run.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "examples/online/event_stream.h"
#include "examples/online/joiner_states.h"
#include "longtail/pages.h"

namespace longtail::examples {
namespace {

constexpr absl::Duration kFlushMax = absl::Minutes(1);
constexpr absl::Duration kShownInterval = absl::Seconds(1);

// Whether examples may have been sent behind a state.
enum class StateKind : std::uint8_t { kGoesOn, kEnd };

// What pages show.
struct Shown {
  JoinRunReport report{};
  std::vector<std::string> not_ready{"begins"};
};

class JoinRun {
 public:
  JoinRun(const JoinRunOptions& options, std::ostream& out)
      : options_(options), out_(out), joiner_(options.joiner) {}

  absl::StatusOr<JoinRunReport> Run() {
    LONGTAIL_RETURN_IF_ERROR(Open());
    std::vector<Example> examples;
    while (options_.stop == nullptr || !*options_.stop) {
      if (absl::Now() >= show_at_) Show();
      LONGTAIL_ASSIGN_OR_RETURN(std::optional<Event> event, events_->Next());
      if (!event) continue;
      const bool is_tick = event->kind == EventKind::kTick;
      examples.clear();
      joiner_.Add(*std::move(event), examples);
      for (Example& one : examples) {
        LONGTAIL_RETURN_IF_ERROR(Send(NumberExample(sent_, std::move(one))));
      }
      if (is_tick && joiner_.now_ms() > ticked_ms_) {
        ticked_ms_ = joiner_.now_ms();
        LONGTAIL_RETURN_IF_ERROR(Send(NumberTick(sent_, ticked_ms_)));
      }
      if (++unsaved_ >= options_.state_every) LONGTAIL_RETURN_IF_ERROR(Save(StateKind::kGoesOn));
      if (options_.until_ms != 0 && joiner_.now_ms() >= options_.until_ms) break;
    }
    LONGTAIL_RETURN_IF_ERROR(Save(StateKind::kEnd));
    return Report();
  }

 private:
  absl::Status Open();
  absl::Status OpenPages();
  absl::Status Resume(const CheckpointName& from);
  absl::Status ResumeOutput(std::string_view text, const std::string& of);
  absl::Status CheckOptions(std::string_view text, const std::string& of) const;
  absl::Status Save(StateKind kind);
  void Show();

  absl::Status Send(const NumberedExample& one) {
    const auto count = static_cast<std::uint64_t>(writer_->partition_count());
    return writer_->Write(static_cast<std::int32_t>(one.number % count), EncodeNumbered(one));
  }

  std::string OptionsText() const {
    return absl::StrCat("window of ", options_.joiner.window_ms, " ms, ",
                        options_.joiner.remembered_max, " remembered");
  }

  JoinRunReport Report() const {
    return {.joiner = {.counts = joiner_.counts(),
                       .unreadable = events_->unreadable(),
                       .waiting = joiner_.waiting(),
                       .now_ms = joiner_.now_ms()},
            .sent = sent_};
  }

  const JoinRunOptions& options_;
  std::ostream& out_;
  std::unique_ptr<JoinerStates> states_;
  std::unique_ptr<EventStream> events_;
  std::unique_ptr<TopicWriter> writer_;
  LogJoiner joiner_;
  ExamplePlace sent_;
  std::int64_t ticked_ms_ = 0;  // The time of the last tick.
  std::uint64_t unsaved_ = 0;   // Events since the last state.
  absl::Time show_at_ = absl::InfinitePast();
  Mutex mutex_;
  Shown shown_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Pages> pages_;  // Before what it shows is gone.
};

absl::Status JoinRun::Open() {
  LONGTAIL_RETURN_IF_ERROR(OpenPages());
  LONGTAIL_ASSIGN_OR_RETURN(
      events_, EventStream::Open(options_.brokers, options_.topics, options_.join_timeout, out_));
  LONGTAIL_ASSIGN_OR_RETURN(writer_, TopicWriter::Open(options_.brokers, options_.topics.examples,
                                                       options_.join_timeout));
  LONGTAIL_ASSIGN_OR_RETURN(states_, JoinerStates::Open(options_.store));
  if (const std::optional<CheckpointName> newest = states_->newest()) {
    LONGTAIL_RETURN_IF_ERROR(Resume(*newest));
    out_ << "Resumed from " << AddressOf(*newest) << " at example " << sent_.next << "."
         << std::endl;
  }
  return Save(StateKind::kGoesOn);
}

absl::Status JoinRun::OpenPages() {
  if (options_.admin.empty()) return absl::OkStatus();
  PagesOptions pages;
  pages.listen = options_.admin;
  pages.figures = [this](Figures& figures) {
    const MutexLock lock(&mutex_);
    AddJoinerFigures(shown_.report.joiner, figures);
    figures.Counter("longtail_online_sent_total", "Examples and ticks of the joiner, by number.",
                    static_cast<double>(shown_.report.sent.next));
    figures.Gauge("longtail_online_event_time_seconds", "How late it is in the logs, since 1970.",
                  static_cast<double>(shown_.report.joiner.now_ms) / 1e3);
  };
  pages.why_not_ready = [this] {
    const MutexLock lock(&mutex_);
    return shown_.not_ready;
  };
  LONGTAIL_ASSIGN_OR_RETURN(pages_, Pages::Show(std::move(pages)));
  out_ << "Pages: http://" << pages_->address() << "/metrics" << std::endl;
  return absl::OkStatus();
}

absl::Status JoinRun::Resume(const CheckpointName& from) {
  LONGTAIL_ASSIGN_OR_RETURN(const TrainerState state, ReadTrainerState(from));
  const std::string of = absl::StrCat("state '", from.name, "'");
  const auto part = [&](const char* name) -> absl::StatusOr<std::string> {
    const auto found = state.find(name);
    if (found != state.end()) return found->second;
    return absl::DataLossError(absl::StrCat(of, " has no '", name, "'"));
  };
  LONGTAIL_ASSIGN_OR_RETURN(const std::string saved_options, part("options"));
  LONGTAIL_RETURN_IF_ERROR(CheckOptions(saved_options, of));
  LONGTAIL_ASSIGN_OR_RETURN(const std::string output, part("output"));
  LONGTAIL_RETURN_IF_ERROR(ResumeOutput(output, of));
  LONGTAIL_ASSIGN_OR_RETURN(const std::string joiner, part("joiner"));
  LONGTAIL_ASSIGN_OR_RETURN(joiner_, LogJoiner::Load(options_.joiner, joiner));
  LONGTAIL_ASSIGN_OR_RETURN(const std::string logs, part("logs"));
  return events_->Restore(logs, of);
}

absl::Status JoinRun::ResumeOutput(std::string_view text, const std::string& of) {
  const std::vector<std::string> words = absl::StrSplit(std::string(text), '\t');
  std::int32_t partitions = 0;
  if (words.size() != 5 || !absl::SimpleAtoi(words[1], &partitions) ||
      !absl::SimpleAtoi(words[2], &sent_.next) || !absl::SimpleAtoi(words[3], &sent_.digest) ||
      !absl::SimpleAtoi(words[4], &ticked_ms_)) {
    return absl::DataLossError(absl::StrCat(of, ": what it has sent is damaged"));
  }
  if (words[0] == options_.topics.examples && partitions == writer_->partition_count()) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      of, " has sent to topic '", words[0], "' of ", partitions, " partitions: want it, not '",
      options_.topics.examples, "' of ", writer_->partition_count(), ", or a new store"));
}

// What was sent behind the state under other options would not be sent again as it was.
absl::Status JoinRun::CheckOptions(std::string_view text, const std::string& of) const {
  const std::vector<std::string> words = absl::StrSplit(std::string(text), '\t');
  if (words.size() != 2) return absl::DataLossError(absl::StrCat(of, ": its options are damaged"));
  if (words[1] == OptionsText() || words[0] == "end") return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(of, " is of a joiner with a ", words[1], ", not a ", OptionsText(),
                   ", and it did not end in good order: start it with those, end it by SIGTERM, "
                   "then change them"));
}

absl::Status JoinRun::Save(StateKind kind) {
  const absl::Status flushed = writer_->Flush(kFlushMax);
  if (absl::IsDeadlineExceeded(flushed)) return absl::UnavailableError(flushed.message());
  LONGTAIL_RETURN_IF_ERROR(flushed);
  LONGTAIL_RETURN_IF_ERROR(states_->Write(
      {{"joiner", joiner_.Save()},
       {"logs", events_->Save()},
       {"output", absl::StrCat(options_.topics.examples, "\t", writer_->partition_count(), "\t",
                               sent_.next, "\t", sent_.digest, "\t", ticked_ms_)},
       {"options",
        absl::StrCat(kind == StateKind::kEnd ? "end" : "goes on", "\t", OptionsText())}}));
  unsaved_ = 0;
  return absl::OkStatus();
}

void JoinRun::Show() {
  show_at_ = absl::Now() + kShownInterval;
  if (pages_ == nullptr) return;
  Shown shown{.report = Report(), .not_ready = {}};
  if (!events_->waits().empty()) shown.not_ready = {events_->waits()};
  const MutexLock lock(&mutex_);
  shown_ = std::move(shown);
}

}  // namespace

absl::StatusOr<JoinRunReport> RunJoin(const JoinRunOptions& options, std::ostream& out) {
  return JoinRun(options, out).Run();
}

}  // namespace longtail::examples
