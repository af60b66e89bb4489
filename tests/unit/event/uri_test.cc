#include "event/uri.h"

#include <gtest/gtest.h>

namespace outrigger::event {
namespace {

TEST(Uri, ReferencesAreResolvedAsTheRfcSays) {
  // RFC 3986, sections 5.4.1 and 5.4.2.
  constexpr char kBase[] = "http://a/b/c/d;p?q";
  for (const auto& [reference, target] : {std::pair("g:h", "g:h"),
                                          {"g", "http://a/b/c/g"},
                                          {"./g", "http://a/b/c/g"},
                                          {"g/", "http://a/b/c/g/"},
                                          {"/g", "http://a/g"},
                                          {"//g", "http://g"},
                                          {"?y", "http://a/b/c/d;p?y"},
                                          {"g?y", "http://a/b/c/g?y"},
                                          {"#s", "http://a/b/c/d;p?q#s"},
                                          {"g#s", "http://a/b/c/g#s"},
                                          {"g?y#s", "http://a/b/c/g?y#s"},
                                          {";x", "http://a/b/c/;x"},
                                          {"", "http://a/b/c/d;p?q"},
                                          {".", "http://a/b/c/"},
                                          {"./", "http://a/b/c/"},
                                          {"..", "http://a/b/"},
                                          {"../g", "http://a/b/g"},
                                          {"../..", "http://a/"},
                                          {"../../g", "http://a/g"},
                                          {"../../../g", "http://a/g"},
                                          {"/./g", "http://a/g"},
                                          {"/../g", "http://a/g"},
                                          {"g.", "http://a/b/c/g."},
                                          {"..g", "http://a/b/c/..g"},
                                          {"./../g", "http://a/b/g"},
                                          {"./g/.", "http://a/b/c/g/"},
                                          {"g/./h", "http://a/b/c/g/h"},
                                          {"g/../h", "http://a/b/c/h"},
                                          {"g;x=1/../y", "http://a/b/c/y"}})
    EXPECT_EQ(ResolveUri(kBase, reference), target) << reference;
  EXPECT_EQ(ResolveUri("", "#/a"), "#/a");
  EXPECT_EQ(ResolveUri("urn:uuid:1", "#a"), "urn:uuid:1#a");
  EXPECT_EQ(ResolveUri("http://a", "b"), "http://a/b");
}

}  // namespace
}  // namespace outrigger::event
