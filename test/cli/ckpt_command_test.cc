// `longtail ckpt`: what stands on the command line is what is done, and what is answered is so.
#include "cli/ckpt_command.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "checkpoint/checkpoint_builder.h"
#include "checkpoint/retention.h"
#include "checkpoint/verification.h"
#include "cli/ckpt.h"
#include "io/open_store.h"
#include "server/scratch_directory.h"

namespace longtail::cli {
namespace {

using nlohmann::json;
using test::CheckpointBuilder;
using test::Must;
using test::Says;

// "step-12", and "step-13" a day later with one row more, one less and one moved by 64.
struct Fixture {
  Fixture() {
    first.Write(*store);
    CheckpointBuilder second = first;
    second.name = "step-13";
    second.created_at = "2026-11-30T10:00:00Z";
    second.step = 13;
    second.trainer["position"] = "3 0 999";
    test::BuiltRows& rows = second.tables[1].rows;
    rows.erase(rows.begin());
    rows[4711] = {.count = 1, .last_step = 13, .values = {1, 2}};
    rows.rbegin()->second.values[1] += 64;
    second.Write(*store);
  }

  absl::StatusOr<CommandOutcome> Run(const std::string& arguments) const {
    CLI::App app;
    const CkptCommand ckpt(app);
    app.parse("ckpt " + arguments);
    absl::Time now;
    REQUIRE(absl::ParseTime(absl::RFC3339_full, "2026-12-02T10:00:00Z", &now, nullptr));
    return ckpt.Run(now);
  }
  std::string Text(const std::string& arguments, int code = 0) const {
    const CommandOutcome outcome = Must(Run(arguments));
    CHECK(outcome.code == code);
    return outcome.output;
  }
  json Json(const std::string& arguments, int code = 0) const {
    const std::string text = Text(arguments + " --json", code);
    CHECK(text.ends_with("}\n"));
    CHECK(text.find('\n') == text.size() - 1);
    return json::parse(text);
  }
  bool Has(const std::string& text, const std::string& part) const {
    INFO(text);
    return text.find(part) != std::string::npos;
  }

  const test::ScratchDirectory directory;
  const std::string where = directory.path();
  const std::unique_ptr<BlobStore> store = Must(OpenStore(where));
  const CheckpointBuilder first = test::ThreeTables();
};

TEST_CASE_METHOD(Fixture, "ckpt ls names checkpoints, oldest first, and what is none",
                 "[cli][ckpt]") {
  CheckpointBuilder half = first;
  half.name = "half";
  half.WriteObjects(*store);
  const std::string text = Text("ls " + where);
  CHECK(text.starts_with("2 checkpoints in file:" + where + "\n"));
  CHECK(Has(text, "    12       3   246"));
  CHECK(text.find("step-12") < text.find("step-13"));
  CHECK(Has(text, "half: no manifest, "));

  const json all = Json("ls " + where);
  REQUIRE(all["checkpoints"].size() == 2);
  const json& one = all["checkpoints"][0];
  CHECK(one["name"] == "step-12");
  CHECK(one["step"] == 12);
  CHECK(one["created_at"] == "2026-11-29T10:00:00.5Z");
  CHECK(one["rows"] == 246);
  CHECK(one["tables"] == json({"item", "user", "rare"}));
  CHECK(all["unfinished"][0]["name"] == "half");

  Must(store->Write("step-12/MANIFEST.json", "{"));
  CHECK(Has(Text("ls " + where, kCkptFound), "damaged: step-12: "));
  CHECK(Json("ls " + where, kCkptFound)["checkpoints"][0].contains("damage"));
}

TEST_CASE_METHOD(Fixture, "ckpt show says what the manifest says", "[cli][ckpt]") {
  const std::string text = Text("show " + where + " step-12");
  CHECK(text.starts_with("checkpoint step-12 in file:" + where + "\n  step 12, "));
  CHECK(Has(text, "4 partitions of 2 lanes, cut at log positions 100 to 103 and steps 12\n"));
  CHECK(Has(text, "  246 rows of 3 tables in "));
  CHECK(Has(text, "\ntable item\n  dim 3; adagrad, "));
  CHECK(Has(text, "\"2 0 777\""));  // The trainer's position.
  CHECK_FALSE(Has(text, "before compression"));
  CHECK_FALSE(Has(text, "p00000-0000"));
  const std::string more = Text("show " + where + " step-12 --rows --objects");
  CHECK(Has(more, "  90 rows of 2 floats, 2,160 bytes before compression\n"));
  CHECK(Has(more, "step-12/p00000-0000.snapshot\n"));
  CHECK(Has(more, "step-12/trainer-1.blob\n"));

  const json all = Json("show " + where + " step-12 --rows");
  CHECK(all["tables"][0]["rows"] == 150);
  CHECK(all["tables"][0]["floats_per_row"] == 6);
  CHECK(all["partitions"][3]["log_position"] == 103);
  CHECK(all["trainer"][1]["text"] == "2 0 777");
  CHECK_FALSE(all["trainer"][0].contains("text"));  // Too long to be shown.
  CHECK(all["objects"].size() + all["trainer"].size() + 1 == Must(store->List("step-12/")).size());
  CHECK(Says(Run("show " + where + " step-14").status(),
             "checkpoint 'step-14': file:" + where + " has [step-12, step-13]"));
}

TEST_CASE_METHOD(Fixture, "ckpt verify names the object, the partition, the table and the bit",
                 "[cli][ckpt]") {
  CHECK(Text("verify " + where).starts_with("checkpoint step-12: whole; "));
  CHECK(Has(Text("verify " + where), "\ncheckpoint step-13: whole; "));
  const std::string object = "step-12/p00001-0000.snapshot";
  std::string bytes = Must(store->Read(object));
  bytes[100] ^= 4;
  Must(store->Write(object, bytes));

  const std::string text = Text("verify " + where, kCkptFound);
  CHECK(Has(text, "checkpoint step-12: damaged in 1 place; "));
  CHECK(Has(text, "  " + object + ": partition 1: table item: byte 100, bit 2: its checksum is "));
  CHECK(Has(text, "checkpoint step-13: whole; "));
  CHECK(Has(Text("verify " + where + " step-13"), "whole"));
  const json all = Json("verify " + where + " step-12", kCkptFound);
  CHECK_FALSE(all["checkpoints"][0]["is_whole"].get<bool>());
  const json& damage = all["checkpoints"][0]["damages"][0];
  CHECK(damage["object"] == object);
  CHECK(damage["partition"] == 1);
  CHECK(damage["tables"] == json({"item"}));
  CHECK(damage["byte_begin"] == 100);
  CHECK(damage["byte_end"] == 101);
  CHECK(damage["bit"] == 2);
  CHECK(absl::IsNotFound(Run("verify " + where + " nope").status()));
}

TEST_CASE_METHOD(Fixture, "ckpt diff counts rows by what became of them", "[cli][ckpt]") {
  const std::string text = Text("diff " + where + " step-12 step-13 --keys 5", kCkptFound);
  CHECK(text.starts_with("from step-12 to step-13: they differ\n"));
  CHECK(Has(text, "      1        1        1     88             64            0  user\n"));
  CHECK(Has(text, "  added    4711 (0x1267)\n"));
  CHECK(Has(text, "  removed  0 (0x0)\n"));
  CHECK(Has(text, "  changed  18446744073709551615 (0xffffffffffffffff) by up to 64\n"));
  CHECK(Has(text, "the trainer's state differs in position\n"));
  CHECK(Has(Text("diff " + where + " step-12 step-12"), ": equal\n"));
  CHECK_FALSE(Has(Text("diff " + where + " step-12 step-13", kCkptFound), "4711"));

  const json all = Json("diff " + where + " step-12 step-13 --keys 5", kCkptFound);
  CHECK_FALSE(all["is_equal"].get<bool>());
  CHECK(all["tables"][0]["equal"] == 150);
  CHECK(all["tables"][1]["added_keys"] == json({4711}));
  CHECK(all["tables"][1]["weights_max"].get<double>() == Approx(64));
  CHECK(all["trainer"] == json({"position"}));
}

TEST_CASE_METHOD(Fixture, "ckpt gc removes what is old enough, or says what would go",
                 "[cli][ckpt]") {
  CHECK(Says(Run("gc " + where).status(), "want --keep N, --older-than AGE, or both"));
  CHECK(Says(Run("gc " + where + " --older-than 3x").status(), "age '3x': want a whole number"));
  const std::string dry = Text("gc " + where + " --keep 1 --dry-run");
  CHECK(dry.starts_with("would remove step-12: "));
  CHECK(Has(dry, "saved 2026-11-29T10:00:00.5Z\nwould free "));
  CHECK(Has(dry, "1 checkpoint kept: step-13\n"));
  CHECK(Has(Text("gc " + where + " --older-than 3d"), "2 checkpoints kept: step-12, step-13\n"));
  CHECK(Must(store->List("step-12/")).size() > 3);

  const json all = Json("gc " + where + " --older-than 71h");
  CHECK(all["removed"][0]["name"] == "step-12");
  CHECK(all["kept"] == json({"step-13"}));
  CHECK(Must(store->List("step-12/")).empty());
  CHECK(Has(Text("verify " + where), "step-13: whole"));

  CheckpointBuilder half = first;
  half.WriteObjects(*store);
  CHECK(Has(Text("gc " + where + " --keep 1"), "left alone: step-12: "));
  CHECK(Has(Text("gc " + where + " --keep 1 --unfinished"), "removed step-12: "));
  CHECK(Must(store->List("step-12/")).empty());
}

TEST_CASE_METHOD(Fixture, "ckpt export writes each form", "[cli][ckpt]") {
  const std::string out = directory.path() + "/out";
  CHECK(Text("export " + where + " step-12 --table user --format csv --out " + out) ==
        "table user: 90 rows to " + out + "\n");
  CHECK(test::ReadWhole(out).starts_with("key,count,last_step,w0,w1\n"));
  Text("export " + where + " step-12 --table item --slots --format csv --out " + out);
  CHECK(test::ReadWhole(out).starts_with("key,count,last_step,w0,w1,w2,s0,s1,s2\n"));
  Text("export " + where + " step-12 --table item --out " + out);
  CHECK(test::ReadWhole(out).starts_with("LTFLATTB"));
  const json npy =
      Json("export " + where + " step-12 --table item --slots --format npy --out " + out + ".npy");
  CHECK(npy["rows"] == 150);
  CHECK(npy["files"] == json({out + ".npy", out + ".keys.npy", out + ".slots.npy"}));
  for (const auto& file : npy["files"]) {
    CHECK(test::ReadWhole(file.get<std::string>()).starts_with("\x93NUMPY"));
  }

  CHECK(Says(Run("export " + where + " step-12 --out " + out).status(),
             "--table is missing: checkpoint 'step-12' has [item, user, rare]: want one"));
  CHECK(Says(Run("export " + where + " step-12 --table usr --out " + out).status(),
             "table 'usr': checkpoint 'step-12' has [item, user, rare]"));
  CHECK_THROWS_AS(Run("export " + where + " step-12 --format xml --out " + out), CLI::ParseError);
}

TEST_CASE_METHOD(Fixture, "ckpt export-serving brings a directory up to a checkpoint",
                 "[cli][ckpt][serving]") {
  const std::string to = " --out " + directory.path() + "/place";
  const std::string text = Text("export-serving " + where + " step-12 --table user" + to);
  CHECK(Has(text, "step-12, step 12: all rows\n  user: 90 rows, "));
  const json newest = Json("export-serving " + where + to + " --values int8");
  CHECK(newest["checkpoint"] == "step-13");
  CHECK(newest["is_changes"] == false);
  CHECK(newest["tables"].size() == 3);
  CHECK(newest["tables"][0]["table"] == "item");
  CHECK(newest["tables"][0]["rows"] == 150);
  CHECK(std::filesystem::exists(directory.path() + "/place/" +
                                newest["tables"][0]["file"].get<std::string>()));

  CHECK(Says(Run("export-serving " + where + " nope" + to).status(), "checkpoint 'nope'"));
  CHECK(Says(Run("export-serving " + where + " step-12 --follow 1" + to).status(),
             "--follow takes the newest checkpoint: want no name, not 'step-12'"));
  CHECK(absl::IsNotFound(Run("export-serving " + directory.path() + "/place" + to).status()));
  CHECK_THROWS_AS(Run("export-serving " + where + " --values fp8" + to), CLI::ParseError);
}

TEST_CASE_METHOD(Fixture, "ckpt restore says that it has no cluster", "[cli][ckpt]") {
  const absl::Status status =
      Run("restore " + where + " step-12 --timeout 1 --cluster " + where + "/nope").status();
  CHECK(Says(status, where + "/nope"));
  CHECK(absl::IsNotFound(Run("restore " + where + " nope --cluster x").status()));
}

TEST_CASE_METHOD(Fixture, "ckpt from-log says what it lacks", "[cli][ckpt][log]") {
  const std::string to = " --store " + where + "/to --as made";
  CHECK(Says(Run("from-log " + where + to).status(), "want --at MOMENT or --step N"));
  CHECK(Says(Run("from-log " + where + to + " --at yesterday").status(),
             "moment 'yesterday': want one such as 2026-11-23T14:05:00Z"));
  CHECK(absl::IsNotFound(Run("from-log " + where + "/nope --step 3" + to).status()));
  CHECK(Says(Run("from-log " + where + " --step 3" + to).status(), "no server has a log there"));
  CHECK(Says(Run("log-range " + where).status(), "no server has a log there"));
  CHECK(Must(ParseMoment("2026-11-23T16:05:00.25+02:00")) ==
        Must(ParseMoment("2026-11-23T14:05:00.25Z")));
}

TEST_CASE_METHOD(Fixture, "wrong arguments of ckpt are refused", "[cli][ckpt]") {
  for (const char* arguments :
       {"", "nope", "ls", "show somewhere", "diff somewhere a", "diff somewhere a b --keys -1",
        "gc somewhere --keep 0", "export somewhere a", "restore somewhere a", "ls somewhere more",
        "log-range", "from-log somewhere --step 3 --as a",
        "from-log somewhere --step 3 --at x --store s --as a"}) {
    CAPTURE(arguments);
    CHECK_THROWS_AS(Run(arguments), CLI::ParseError);
  }
  CHECK(absl::IsNotFound(Run("ls " + where + "/nope").status()));
  CHECK_FALSE(std::filesystem::exists(where + "/nope"));  // Looking makes nothing.
}

TEST_CASE_METHOD(Fixture, "ckpt ls and show say what is an increment, compact makes it a full one",
                 "[cli][ckpt][increment]") {
  Rng rng(3);
  const Manifest base = Must(server::ReadManifest(*store, "step-12"));
  CheckpointBuilder next = test::NextIncrement(first, base, "step-14", rng);
  next.created_at = "2026-12-01T10:00:00Z";
  next.full = {3};
  const Manifest manifest = next.Write(*store);
  const CheckpointInfo info = server::InfoOf(manifest, {});
  std::uint64_t rows = 0;
  for (const test::BuiltTable& table : next.tables) rows += table.whole.size();

  CHECK(Has(Text("ls " + where), "name     increment on\n"));
  CHECK(Has(Text("ls " + where), "step-14  step-12\n"));
  const json listed = Json("ls " + where)["checkpoints"];
  CHECK(listed[2]["base"] == "step-12");
  CHECK(listed[2]["increments"] == 1);
  CHECK(listed[2]["rows"] == rows);
  CHECK(listed[2]["own_bytes"] == info.own_bytes);
  CHECK(listed[2]["bytes"] == info.bytes);
  CHECK(listed[0]["own_bytes"] == listed[0]["bytes"]);
  CHECK(!listed[0].contains("base"));
  const std::string shown = Text("show " + where + " step-14 --rows");
  CHECK(Has(shown, "\n  " + std::to_string(rows) + " rows of 3 tables in "));
  CHECK(Has(shown, "\n  increment 1 on step-12, the one before is step-12; "));
  CHECK(Has(shown, " bytes of its own, 1 partition in full\n"));
  CHECK(Has(shown, std::to_string(next.tables[0].whole.size()) + " rows of 6 floats"));
  CHECK(Json("show " + where + " step-14")["increment"]["layers"] == json({"step-12", "step-14"}));
  CHECK(Json("show " + where + " step-12")["increment"].is_null());

  const std::string text = Text("compact " + where + " step-14 --as full");
  CHECK(Has(text, "checkpoint full: all that step-14 has, in full: " + std::to_string(rows)));
  CHECK(Has(Text("diff " + where + " step-14 full"), "from step-14 to full: equal\n"));
  CHECK(Json("compact " + where + " step-14 --as again")["rows"] == rows);
  CHECK(Has(Text("verify " + where + " full"), "whole"));
}

}  // namespace
}  // namespace longtail::cli
