#include "examples/common/report/html_element.h"

#include "examples/common/report/safe_text.h"

namespace longtail::examples {

std::string Section(std::string_view text, std::string_view html) {
  std::string section = "<section>\n<h2>" + EscapeHtml(text) + "</h2>\n";
  section += html;
  return section + "</section>\n";
}

std::string Paragraph(std::string_view text) {
  return "<p>" + EscapeHtml(text) + "</p>\n";
}

std::string TableElement(const HtmlTable& table) {
  std::string html = "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"" +
                     EscapeHtml(table.caption) + "\">\n<table>\n<caption>" +
                     EscapeHtml(table.caption) + "</caption>\n<thead><tr>";
  for (const std::string& cell : table.header) {
    html += "<th scope=\"col\">" + EscapeHtml(cell) + "</th>";
  }
  html += "</tr></thead>\n<tbody>\n";
  for (const std::vector<std::string>& row : table.rows) {
    html += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      html += i == 0 ? "<th scope=\"row\">" + EscapeHtml(row[i]) + "</th>"
                     : "<td>" + EscapeHtml(row[i]) + "</td>";
    }
    html += "</tr>\n";
  }
  return html + "</tbody>\n</table>\n</div>\n";
}

std::string NamedValueTable(std::string_view caption, const std::vector<NamedValue>& entries) {
  if (entries.empty()) return {};
  std::string html =
      "<table class=\"facts\">\n<caption>" + EscapeHtml(caption) + "</caption>\n<tbody>\n";
  for (const NamedValue& entry : entries) {
    html += "<tr><th scope=\"row\">" + EscapeHtml(entry.name) + "</th><td>" +
            EscapeHtml(entry.value) + "</td></tr>\n";
  }
  return html + "</tbody>\n</table>\n";
}

std::string ChartGrid(std::string_view html) {
  std::string grid = "<div class=\"charts\">\n";
  grid += html;
  return grid + "</div>\n";
}

}  // namespace longtail::examples
