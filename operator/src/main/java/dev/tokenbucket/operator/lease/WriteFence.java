// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.lease;

import io.fabric8.kubernetes.client.http.AsyncBody;
import io.fabric8.kubernetes.client.http.BasicBuilder;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.HttpResponse;
import io.fabric8.kubernetes.client.http.Interceptor;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Lets a write pass only while the lease is held, as seen on the wire: the time runs from the
 * renewal time in the record that the API server confirmed, for as long as the renewal deadline. A
 * request that is sent again, as after a 429, counts from its first try, because other replicas go
 * by that time. A process that was stopped or starved for longer finds the fence shut at its next
 * write, even before any timer has fired.
 */
final class WriteFence implements Interceptor {
  private static final Set<String> WRITES = Set.of("POST", "PUT", "PATCH", "DELETE");

  private static final Pattern RENEW_TIME = Pattern.compile("\"renewTime\"\\s*:\\s*\"([^\"]+)\"");

  /** Questions about the operator's own rights are POSTs, but write nothing. */
  private static final String REVIEWS = "/apis/authorization.k8s.io/";

  /** Both clocks, because one may stand still while the machine sleeps, and the other may jump. */
  private record Times(long nanos, long millis) {}

  /**
   * A sent renewal, identified by the renewal time in it. Without a renewal time, each try counts
   * as a renewal of its own.
   */
  private record Renewal(@Nullable String renewTime, Times at) {}

  private final String leases;
  private final Duration hold;
  private final LongSupplier nanoClock;
  private final LongSupplier wallClock;
  private final Consumer<String> refused;
  private volatile @Nullable Renewal sent;
  private volatile @Nullable Times renewed;
  private volatile boolean shut;

  /**
   * @param leases the path of leases in the operator's namespace, where no other lease is written
   * @param hold how long a renewal is valid
   * @param nanoClock as {@link System#nanoTime()}
   * @param wallClock as {@link System#currentTimeMillis()}
   * @param refused receives the refused request before the write fails
   */
  WriteFence(
      String leases,
      Duration hold,
      LongSupplier nanoClock,
      LongSupplier wallClock,
      Consumer<String> refused) {
    this.leases = leases;
    this.hold = hold;
    this.nanoClock = nanoClock;
    this.wallClock = wallClock;
    this.refused = refused;
  }

  /** Whether a write would pass now. */
  boolean open() {
    Times last = renewed;
    return !shut
        && last != null
        && nanoClock.getAsLong() - last.nanos() < hold.toNanos()
        && wallClock.getAsLong() - last.millis() < hold.toMillis();
  }

  /** Lets no write pass any more, regardless of the lease. */
  void shut() {
    shut = true;
  }

  @Override
  public void before(BasicBuilder builder, HttpRequest request, RequestTags tags) {
    String path = request.uri().getPath();
    if (!WRITES.contains(request.method()) || path.startsWith(REVIEWS)) {
      return;
    }
    if (path.startsWith(leases)) {
      sending(renewTime(request.bodyString()));
      return;
    }
    if (!open()) {
      String what = request.method() + " " + path;
      // A successor that finds the lease in its own name leads before it has renewed the lease. Its
      // write fails, but the process stays.
      if (renewed != null || shut) {
        refused.accept(what);
      }
      throw new IllegalStateException(what + " without the lease");
    }
  }

  private void sending(@Nullable String renewTime) {
    Renewal before = sent;
    if (before == null || renewTime == null || !renewTime.equals(before.renewTime())) {
      long wall = wallClock.getAsLong();
      long said = renewTime == null ? wall : millis(renewTime, wall);
      sent = new Renewal(renewTime, new Times(nanoClock.getAsLong(), Math.min(wall, said)));
    }
  }

  private static @Nullable String renewTime(@Nullable String lease) {
    Matcher matcher = RENEW_TIME.matcher(lease == null ? "" : lease);
    return matcher.find() ? matcher.group(1) : null;
  }

  private static long millis(String time, long otherwise) {
    try {
      return OffsetDateTime.parse(time).toInstant().toEpochMilli();
    } catch (DateTimeParseException e) {
      return otherwise;
    }
  }

  @Override
  public void after(
      HttpRequest request, HttpResponse<?> response, AsyncBody.Consumer<List<ByteBuffer>> body) {
    if (response.isSuccessful()
        && WRITES.contains(request.method())
        && request.uri().getPath().startsWith(leases)) {
      Renewal confirmed = sent;
      renewed = confirmed == null ? null : confirmed.at();
    }
  }
}
