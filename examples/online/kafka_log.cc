#include "examples/online/kafka_log.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <algorithm>
#include <array>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/mutex.h"
#include "base/status_macros.h"

namespace longtail::examples {
namespace {

constexpr std::size_t kEntriesMax = 1000;
constexpr int kQueueFullWaitMs = 100;
constexpr absl::Duration kQueueFullMax = absl::Minutes(1);

using Setting = std::pair<const char*, std::string>;

// A client of the brokers, and what they last complained of.
class Client {
 public:
  Client() = default;
  ~Client() {
    if (handle_ != nullptr) rd_kafka_destroy(handle_);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  absl::Status Open(rd_kafka_type_t type, const std::string& brokers,
                    const std::vector<Setting>& settings) {
    brokers_ = brokers;
    rd_kafka_conf_t* const conf = rd_kafka_conf_new();
    std::array<char, 512> error{};
    std::vector<Setting> all = settings;
    all.emplace_back("bootstrap.servers", brokers);
    all.emplace_back("client.id", "longtail-online");
    all.emplace_back("reconnect.backoff.max.ms", "1000");
    for (const auto& [name, value] : all) {
      if (rd_kafka_conf_set(conf, name, value.c_str(), error.data(), error.size()) ==
          RD_KAFKA_CONF_OK) {
        continue;
      }
      rd_kafka_conf_destroy(conf);
      return absl::InvalidArgumentError(
          absl::StrCat("kafka: ", name, " '", value, "': ", error.data()));
    }
    rd_kafka_conf_set_opaque(conf, this);
    rd_kafka_conf_set_error_cb(conf, [](rd_kafka_t*, int code, const char* reason, void* self) {
      static_cast<Client*>(self)->Note(code, reason);
    });
    rd_kafka_conf_set_log_cb(conf, [](const rd_kafka_t*, int, const char*, const char*) {});
    if (type == RD_KAFKA_PRODUCER) {
      rd_kafka_conf_set_dr_msg_cb(
          conf, [](rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
            if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
              static_cast<Client*>(self)->NoteLoss(rd_kafka_err2str(message->err));
            }
          });
    }
    handle_ = rd_kafka_new(type, conf, error.data(), error.size());
    if (handle_ != nullptr) return absl::OkStatus();
    rd_kafka_conf_destroy(conf);
    return absl::InvalidArgumentError(absl::StrCat("kafka at '", brokers, "': ", error.data()));
  }

  rd_kafka_t* get() const { return handle_; }

  std::string problem() const {
    const MutexLock lock(&mutex_);
    return problem_;
  }
  void NoteAnswer() {
    const MutexLock lock(&mutex_);
    problem_.clear();
  }

  // Whether the brokers have taken, or may still take, all that was written.
  absl::Status CheckLosses() const {
    const MutexLock lock(&mutex_);
    if (lost_ == 0) return absl::OkStatus();
    return absl::UnavailableError(
        absl::StrCat("kafka at '", brokers_, "': ", lost_,
                     " messages were given up, the first because of: ", first_loss_));
  }

  // How many partitions a topic has.
  absl::StatusOr<std::int32_t> PartitionCount(const std::string& topic, absl::Duration timeout) {
    const absl::Time until = absl::Now() + timeout;
    std::string said = "no answer";
    do {
      rd_kafka_topic_t* const asked = rd_kafka_topic_new(handle_, topic.c_str(), nullptr);
      const rd_kafka_metadata_t* metadata = nullptr;
      const auto left = std::max<std::int64_t>(absl::ToInt64Milliseconds(until - absl::Now()), 1);
      const rd_kafka_resp_err_t code = rd_kafka_metadata(
          handle_, 0, asked, &metadata, static_cast<int>(std::min<std::int64_t>(left, 5000)));
      rd_kafka_topic_destroy(asked);
      rd_kafka_poll(handle_, 0);
      if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        said = rd_kafka_err2str(code);
        absl::SleepFor(absl::Milliseconds(100));
        continue;
      }
      const bool is_there = metadata->topic_cnt == 1 &&
                            metadata->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR &&
                            metadata->topics[0].partition_cnt > 0;
      const std::int32_t count = is_there ? metadata->topics[0].partition_cnt : 0;
      rd_kafka_metadata_destroy(metadata);
      if (is_there) return count;
      said = "it has no such topic";
      absl::SleepFor(absl::Milliseconds(100));
    } while (absl::Now() < until);
    if (said == "it has no such topic") {
      return absl::NotFoundError(absl::StrCat("kafka at '", brokers_, "': topic '", topic,
                                              "': it has no such topic after ",
                                              absl::FormatDuration(timeout)));
    }
    const std::string problem = this->problem();
    return absl::UnavailableError(absl::StrCat("kafka at '", brokers_,
                                               "': ", problem.empty() ? said : problem, ", for ",
                                               absl::FormatDuration(timeout)));
  }

 private:
  void Note(int code, const char* reason) {
    const MutexLock lock(&mutex_);
    problem_ = absl::StrCat(rd_kafka_err2str(static_cast<rd_kafka_resp_err_t>(code)), ": ", reason);
  }
  void NoteLoss(const char* reason) {
    const MutexLock lock(&mutex_);
    if (++lost_ == 1) first_loss_ = reason;
  }

  std::string brokers_;
  rd_kafka_t* handle_ = nullptr;
  mutable Mutex mutex_;
  std::string problem_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t lost_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string first_loss_ ABSL_GUARDED_BY(mutex_);
};

class Reader final : public KafkaReader {
 public:
  ~Reader() override {
    for (std::size_t i = 0; i < started_; ++i) {
      rd_kafka_consume_stop(topics_[i], partitions_[i].number);
    }
    for (rd_kafka_topic_t* const topic : topics_) rd_kafka_topic_destroy(topic);
  }

  absl::Status Connect(const std::string& brokers,
                       const std::vector<std::pair<EventKind, std::string>>& topics,
                       absl::Duration timeout) {
    // What is not there any more is an error: nothing may be left out unseen.
    LONGTAIL_RETURN_IF_ERROR(client_.Open(RD_KAFKA_CONSUMER, brokers,
                                          {{"queued.max.messages.kbytes", "16384"},
                                           {"fetch.wait.max.ms", "50"},
                                           {"fetch.error.backoff.ms", "100"},
                                           {"auto.offset.reset", "error"}}));
    for (const auto& [kind, topic] : topics) {
      LONGTAIL_ASSIGN_OR_RETURN(const std::int32_t count, client_.PartitionCount(topic, timeout));
      for (std::int32_t i = 0; i < count; ++i) {
        partitions_.push_back({.kind = kind, .topic = topic, .number = i});
      }
    }
    return absl::OkStatus();
  }

  const std::vector<LogPartition>& partitions() const override { return partitions_; }

  absl::Status Start(const std::vector<std::int64_t>& offsets) override {
    if (offsets.size() != partitions_.size()) {
      return absl::InvalidArgumentError(absl::StrCat(
          offsets.size(), " offsets: want one for each of ", partitions_.size(), " partitions"));
    }
    next_ = offsets;
    for (std::size_t i = 0; i < partitions_.size(); ++i) {
      topics_.push_back(rd_kafka_topic_new(client_.get(), partitions_[i].topic.c_str(), nullptr));
      if (rd_kafka_consume_start(topics_[i], partitions_[i].number, offsets[i]) != 0) {
        return absl::UnavailableError(absl::StrCat(
            Name(i), ": reading does not begin: ", rd_kafka_err2str(rd_kafka_last_error())));
      }
      started_ = i + 1;
    }
    return absl::OkStatus();
  }

  absl::Status Read(std::size_t partition, absl::Duration wait,
                    std::vector<LogEntry>& entries) override {
    std::array<rd_kafka_message_t*, kEntriesMax> messages{};
    const auto count = rd_kafka_consume_batch(topics_[partition], partitions_[partition].number,
                                              static_cast<int>(absl::ToInt64Milliseconds(wait)),
                                              messages.data(), messages.size());
    rd_kafka_poll(client_.get(), 0);
    absl::Status status;
    for (std::size_t i = 0; i < static_cast<std::size_t>(std::max<std::int64_t>(count, 0)); ++i) {
      if (status.ok()) status = Take(partition, *messages[i], entries);
      rd_kafka_message_destroy(messages[i]);
    }
    return status;
  }

  std::string problem() const override { return client_.problem(); }

 private:
  std::string Name(std::size_t i) const { return NameOf(partitions_[i]); }

  absl::Status Take(std::size_t partition, const rd_kafka_message_t& message,
                    std::vector<LogEntry>& entries) {
    switch (message.err) {
      case RD_KAFKA_RESP_ERR_NO_ERROR:
        break;
      case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        return absl::OkStatus();
      case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
      case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
        return absl::DataLossError(absl::StrCat(Name(partition), ": it has no offset ",
                                                next_[partition],
                                                ": it was thinned out, or is "
                                                "another log than was read before"));
      default:  // It asks again by itself.
        return absl::OkStatus();
    }
    client_.NoteAnswer();
    if (message.offset < next_[partition]) return absl::OkStatus();  // A batch's beginning.
    next_[partition] = message.offset + 1;
    const auto text = [](const void* data, std::size_t size) {
      return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), size);
    };
    entries.push_back({.offset = message.offset,
                       .written_ms = rd_kafka_message_timestamp(&message, nullptr),
                       .key = text(message.key, message.key_len),
                       .value = text(message.payload, message.len)});
    return absl::OkStatus();
  }

  std::vector<LogPartition> partitions_;
  std::vector<std::int64_t> next_;
  Client client_;  // Outlived by nothing below.
  std::vector<rd_kafka_topic_t*> topics_;
  std::size_t started_ = 0;
};

// What writes messages, and knows what became of them.
class Producer {
 public:
  absl::Status Connect(const std::string& brokers, const std::vector<std::string>& topics,
                       absl::Duration timeout) {
    // A message is not given up for being late, and nothing is taken behind one that was given up.
    LONGTAIL_RETURN_IF_ERROR(client_.Open(RD_KAFKA_PRODUCER, brokers,
                                          {{"enable.idempotence", "true"},
                                           {"enable.gapless.guarantee", "true"},
                                           {"message.timeout.ms", "0"},
                                           {"linger.ms", "5"},
                                           {"compression.type", "lz4"}}));
    topics_ = topics;
    for (const std::string& topic : topics_) {
      LONGTAIL_ASSIGN_OR_RETURN(const std::int32_t count, client_.PartitionCount(topic, timeout));
      counts_.push_back(count);
    }
    return absl::OkStatus();
  }

  std::int32_t partition_count(std::size_t topic) const { return counts_[topic]; }

  absl::Status Produce(std::size_t topic, std::int32_t partition, const std::string& key,
                       const std::string& value) {
    const absl::Time until = absl::Now() + kQueueFullMax;
    while (true) {
      LONGTAIL_RETURN_IF_ERROR(client_.CheckLosses());
      const rd_kafka_resp_err_t code = rd_kafka_producev(
          client_.get(), RD_KAFKA_V_TOPIC(topics_[topic].c_str()), RD_KAFKA_V_PARTITION(partition),
          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key.data(), key.size()),
          RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()), RD_KAFKA_V_END);
      if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_poll(client_.get(), 0);
        return absl::OkStatus();
      }
      if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL || absl::Now() > until) {
        return absl::UnavailableError(absl::StrCat("kafka: topic '", topics_[topic],
                                                   "': ", rd_kafka_err2str(code), "; ",
                                                   client_.problem()));
      }
      rd_kafka_poll(client_.get(), kQueueFullWaitMs);
    }
  }

  absl::Status Flush(absl::Duration timeout) {
    if (rd_kafka_flush(client_.get(), static_cast<int>(absl::ToInt64Milliseconds(timeout))) ==
        RD_KAFKA_RESP_ERR_NO_ERROR) {
      return client_.CheckLosses();
    }
    return absl::DeadlineExceededError(absl::StrCat(
        "kafka: ", rd_kafka_outq_len(client_.get()), " messages are not written after ",
        absl::FormatDuration(timeout), "; ", client_.problem()));
  }

 private:
  Client client_;
  std::vector<std::string> topics_;
  std::vector<std::int32_t> counts_;
};

class EventWriter final : public KafkaWriter {
 public:
  absl::Status Connect(const std::string& brokers, const LogTopics& topics,
                       absl::Duration timeout) {
    return producer_.Connect(brokers, {topics.impressions, topics.clicks}, timeout);
  }

  absl::Status Write(const Event& event) override {
    const std::string value = EncodeValue(event);
    if (event.kind != EventKind::kTick) {
      const std::size_t topic = event.kind == EventKind::kImpression ? 0 : 1;
      const std::uint64_t hash = XXH3_64bits(event.id.data(), event.id.size());
      const auto count = static_cast<std::uint64_t>(producer_.partition_count(topic));
      return producer_.Produce(topic, static_cast<std::int32_t>(hash % count), event.id, value);
    }
    for (std::size_t topic = 0; topic < 2; ++topic) {
      for (std::int32_t i = 0; i < producer_.partition_count(topic); ++i) {
        LONGTAIL_RETURN_IF_ERROR(producer_.Produce(topic, i, "", value));
      }
    }
    return absl::OkStatus();
  }

  absl::Status Flush(absl::Duration timeout) override { return producer_.Flush(timeout); }

 private:
  Producer producer_;
};

class ExampleWriter final : public TopicWriter {
 public:
  absl::Status Connect(const std::string& brokers, const std::string& topic,
                       absl::Duration timeout) {
    return producer_.Connect(brokers, {topic}, timeout);
  }

  std::int32_t partition_count() const override { return producer_.partition_count(0); }

  absl::Status Write(std::int32_t partition, const std::string& value) override {
    return producer_.Produce(0, partition, "", value);
  }

  absl::Status Flush(absl::Duration timeout) override { return producer_.Flush(timeout); }

 private:
  Producer producer_;
};

class MockBroker final : public TrialBroker {
 public:
  ~MockBroker() override {
    if (cluster_ != nullptr) rd_kafka_mock_cluster_destroy(cluster_);
  }

  absl::Status Run(const LogTopics& topics, std::int32_t partitions) {
    LONGTAIL_RETURN_IF_ERROR(owner_.Open(RD_KAFKA_PRODUCER, "", {}));
    cluster_ = rd_kafka_mock_cluster_new(owner_.get(), 1);
    if (cluster_ == nullptr) return absl::UnavailableError("a broker for trying does not start");
    for (const std::string& topic : {topics.impressions, topics.clicks, topics.examples}) {
      if (rd_kafka_mock_topic_create(cluster_, topic.c_str(), partitions, 1) !=
          RD_KAFKA_RESP_ERR_NO_ERROR) {
        return absl::InvalidArgumentError(absl::StrCat("topic '", topic, "': it is not made"));
      }
    }
    address_ = rd_kafka_mock_cluster_bootstraps(cluster_);
    return absl::OkStatus();
  }

  const std::string& address() const override { return address_; }

 private:
  Client owner_;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
  std::string address_;
};

}  // namespace

std::string NameOf(const LogPartition& partition) {
  return absl::StrCat("topic '", partition.topic, "', partition ", partition.number);
}

absl::StatusOr<std::unique_ptr<KafkaReader>> KafkaReader::Open(const std::string& brokers,
                                                               const LogTopics& topics,
                                                               absl::Duration timeout) {
  auto reader = std::make_unique<Reader>();
  LONGTAIL_RETURN_IF_ERROR(reader->Connect(
      brokers, {{EventKind::kImpression, topics.impressions}, {EventKind::kClick, topics.clicks}},
      timeout));
  return reader;
}

absl::StatusOr<std::unique_ptr<KafkaReader>> KafkaReader::OpenExamples(const std::string& brokers,
                                                                       const std::string& topic,
                                                                       absl::Duration timeout) {
  auto reader = std::make_unique<Reader>();
  LONGTAIL_RETURN_IF_ERROR(reader->Connect(brokers, {{EventKind::kImpression, topic}}, timeout));
  return reader;
}

absl::StatusOr<std::unique_ptr<KafkaWriter>> KafkaWriter::Open(const std::string& brokers,
                                                               const LogTopics& topics,
                                                               absl::Duration timeout) {
  auto writer = std::make_unique<EventWriter>();
  LONGTAIL_RETURN_IF_ERROR(writer->Connect(brokers, topics, timeout));
  return writer;
}

absl::StatusOr<std::unique_ptr<TopicWriter>> TopicWriter::Open(const std::string& brokers,
                                                               const std::string& topic,
                                                               absl::Duration timeout) {
  auto writer = std::make_unique<ExampleWriter>();
  LONGTAIL_RETURN_IF_ERROR(writer->Connect(brokers, topic, timeout));
  return writer;
}

absl::StatusOr<std::unique_ptr<TrialBroker>> TrialBroker::Start(const LogTopics& topics,
                                                                std::int32_t partitions) {
  auto broker = std::make_unique<MockBroker>();
  LONGTAIL_RETURN_IF_ERROR(broker->Run(topics, partitions));
  return broker;
}

}  // namespace longtail::examples
