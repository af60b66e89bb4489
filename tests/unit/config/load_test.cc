#include "config/load.h"
#include <gtest/gtest.h>
TEST(Load, X){ EXPECT_TRUE(outrigger::config::JsonSchema().size()>10); }
