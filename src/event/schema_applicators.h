// The keywords that apply other schemas to the same value: references, combinations, conditions.
//
// Source: JSON Schema 2020-12, Core sections 8.2 and 10.2; drafts 4, 6, 7 and 2019-09 where they
// differ.
#pragma once

#include "event/schema_keyword.h"

namespace outrigger::event {

#define OUTRIGGER_KEYWORD(Name) \
  std::unique_ptr<Keyword> Name(JsonNode schema, JsonNode value, KeywordBuilder& builder)

OUTRIGGER_KEYWORD(MakeReference);         // $ref
OUTRIGGER_KEYWORD(MakeDynamicReference);  // $dynamicRef, $recursiveRef
OUTRIGGER_KEYWORD(MakeDefinitions);       // $defs, definitions: checks nothing
OUTRIGGER_KEYWORD(MakeAllOf);
OUTRIGGER_KEYWORD(MakeAnyOf);
OUTRIGGER_KEYWORD(MakeOneOf);
OUTRIGGER_KEYWORD(MakeNot);
OUTRIGGER_KEYWORD(MakeIf);            // if, then, else together
OUTRIGGER_KEYWORD(MakeDependencies);  // dependencies, dependentRequired, dependentSchemas

#undef OUTRIGGER_KEYWORD

}  // namespace outrigger::event
