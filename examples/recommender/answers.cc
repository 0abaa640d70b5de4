#include "examples/recommender/answers.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "examples/common/nn/matrix.h"
#include "examples/common/report/number_text.h"
#include "examples/common/report/safe_text.h"
#include "examples/recommender/popularity.h"
#include "examples/recommender/tail_places.h"

namespace longtail::examples::recommender {
namespace {

// How many of the user's own items are shown.
constexpr std::size_t kOwnItemsShown = 5;

// A table of ranked items: their titles, and what makes one look at them.
TextTable TableOf(const Dataset& data, const std::vector<RankedItem>& items, std::string title,
                  const char* score) {
  TextTable table{
      .title = std::move(title), .header = {"item", "id", score, "in training"}, .rows = {}};
  const bool has_notes = std::ranges::any_of(items, [&](const RankedItem& r) {
    return !data.titles.empty() && !data.titles[r.item].note.empty();
  });
  if (has_notes) table.header.push_back("about");
  for (const RankedItem& ranked : items) {
    std::vector<std::string> row = {data.TextOfItem(ranked.item),
                                    data.names.items.name(ranked.item), FixedText(ranked.score, 3),
                                    GroupedText(data.item_counts[ranked.item])};
    if (has_notes) row.push_back(data.titles[ranked.item].note);
    table.rows.push_back(std::move(row));
  }
  return table;
}

absl::StatusOr<std::vector<RankedItem>> Best(const Dataset& data, std::uint32_t user,
                                             std::span<const std::uint32_t> known,
                                             std::size_t count, Scorer& scorer, float tail_share) {
  MatrixBuffer scores(1, data.item_count());
  const KnownUser who{.user = user, .items = known};
  LONGTAIL_RETURN_IF_ERROR(scorer.Score({&who, 1}, scores.view()));
  std::vector<RankedItem> best;
  TopItemsWithTail({scores.view().row(0), data.item_count()}, known, data.item_counts, tail_share,
                   count, best);
  return best;
}

}  // namespace

absl::StatusOr<Knowledge> PrintRecommendations(const Dataset& data, const std::string& user,
                                               std::size_t count, Scorer& scorer, float tail_share,
                                               std::ostream& out, TerminalStyle style) {
  const std::optional<std::uint32_t> number = data.names.users.Find(user);
  std::vector<std::uint32_t> known;
  if (number) known = KnownItems(data, EvaluatedPart::kTest, *number);
  if (!number || data.train_items.Of(*number).empty()) {
    out << "User " << SafeText(user) << (number ? " has nothing in training" : " is unknown")
        << ": these are the items seen most, the same for everybody.\n";
    Popularity popularity(data.item_counts);
    LONGTAIL_ASSIGN_OR_RETURN(const auto best,
                              Best(data, number.value_or(0), known, count, popularity, 0));
    out << TextOf(TableOf(data, best, "Popular", "count"), style);
    return number ? Knowledge::kNothingToLearn : Knowledge::kUnknownUser;
  }
  // The last ones are the newest where the data set has times.
  out << "User " << SafeText(user) << " has " << GroupedText(known.size()) << " items, such as:\n";
  for (std::size_t i = known.size() - std::min(kOwnItemsShown, known.size()); i < known.size();
       ++i) {
    out << "  " << SafeText(data.TextOfItem(known[i])) << "\n";
  }
  LONGTAIL_ASSIGN_OR_RETURN(const auto best, Best(data, *number, known, count, scorer, tail_share));
  out << TextOf(TableOf(data, best, absl::StrCat("Recommended to user ", user), "score"), style);
  return Knowledge::kUser;
}

absl::StatusOr<std::uint32_t> FindItem(const Dataset& data, const std::string& text) {
  if (const auto item = data.names.items.Find(text)) return *item;
  const std::string wanted = absl::AsciiStrToLower(text);
  std::optional<std::uint32_t> found;
  for (std::uint32_t i = 0; i < data.titles.size() && !wanted.empty(); ++i) {
    const std::string title = absl::AsciiStrToLower(data.titles[i].text);
    if (title == wanted) return i;
    if (title.find(wanted) == std::string::npos) continue;
    if (!found || data.item_counts[i] > data.item_counts[*found]) found = i;
  }
  if (found) return *found;
  return absl::NotFoundError(absl::StrCat("item '", text, "': no such id, and no title of ",
                                          data.titles.size(), " has it"));
}

void PrintSimilar(const Dataset& data, std::uint32_t item, std::size_t count,
                  const FactorModel& model, std::ostream& out, TerminalStyle style) {
  if (data.item_counts[item] == 0) {
    out << SafeText(data.TextOfItem(item))
        << " is not in training: its row is where it began, and what is near it is by chance.\n";
  }
  out << TextOf(TableOf(data, model.Similar(item, count),
                        absl::StrCat("Nearest to ", data.TextOfItem(item)), "cosine"),
                style);
}

}  // namespace longtail::examples::recommender
