// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.bench;

/**
 * What selects a bucket, and the classifier's goals with it.
 *
 * @param per as in {@code bucket.per}
 * @param textbook as in textbook.bpf.c
 */
record Key(String title, String per, String textbook, Goal conform, Goal exceed) {
  static final Key NODE = new Key("node-wide", "Node", "NODE", new Goal(12, 0.5), new Goal(5, 1.5));
  static final Key SOURCE =
      new Key("per source", "SourceIP", "SOURCE", new Goal(4, 1.3), new Goal(3, 2.3));
  static final Key FLOW =
      new Key("5-tuple", "Flow", "FLOW", new Goal(2.3, 1.3), new Goal(2.3, 2.3));

  /**
   * A goal.
   *
   * @param ratio the least ratio of the textbook's net time to the classifier's
   * @param clocks the most net time of the classifier, in net times of an exact clock reading
   */
  record Goal(double ratio, double clocks) {}

  Goal goal(Subject.Expected expected) {
    return expected == Subject.Expected.CONFORM ? conform : exceed;
  }
}
