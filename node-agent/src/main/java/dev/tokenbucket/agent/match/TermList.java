// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.match;

import dev.tokenbucket.agent.layout.HookLimit;
import dev.tokenbucket.api.v1alpha1.NodeMatchTerm;
import java.util.BitSet;
import java.util.List;
import java.util.function.Predicate;

/** The terms of a hook's policies, one bit each, in the order of the policies. */
record TermList(List<Term> terms) {
  /**
   * A term of a policy.
   *
   * @param exempts whether the term is one of {@code exempt[]}
   */
  record Term(int policy, boolean exempts, NodeMatchTerm asks) {}

  TermList {
    terms = List.copyOf(terms);
  }

  int size() {
    return terms.size();
  }

  Term get(int number) {
    return terms.get(number);
  }

  BitSet where(Predicate<Term> holds) {
    BitSet set = new BitSet(HookLimit.MAX_HOOK_TERMS);
    for (int i = 0; i < terms.size(); i++) {
      set.set(i, holds.test(terms.get(i)));
    }
    return set;
  }

  BitSet asking(Predicate<NodeMatchTerm> holds) {
    return where(term -> holds.test(term.asks()));
  }

  /** The terms that hold for a packet if the field that some terms ask for can't be read. */
  BitSet unknown(BitSet asked) {
    BitSet set = where(term -> !term.exempts());
    set.or(others(asked));
    return set;
  }

  /** All terms but these. */
  BitSet others(BitSet some) {
    BitSet others = (BitSet) some.clone();
    others.flip(0, terms.size());
    return others;
  }
}
