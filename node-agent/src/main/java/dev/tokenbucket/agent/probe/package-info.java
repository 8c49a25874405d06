/** What the chart's hooks run: a limit proved by packets, and nodes cleaned and waited for. */
@NullMarked
package dev.tokenbucket.agent.probe;

import org.jspecify.annotations.NullMarked;
