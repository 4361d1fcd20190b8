package io.keyturn.gate;

import io.keyturn.api.v1alpha1.Preflight;
import io.keyturn.domain.gate.Measurement;
import io.keyturn.secret.SecretData;
import java.net.HttpURLConnection;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;

/**
 * Asks a server with the candidate as its credentials. An answer that says nothing of them (429 and
 * 5xx: a server that is busy or broken) is no verdict, unless it is the one that is expected.
 */
final class HttpProbe {

  private static final int TOO_MANY_REQUESTS = 429;

  private HttpProbe() {}

  static Measurement run(Preflight.Http check, SecretData candidate, Duration time) {
    try {
      HttpRequest.Builder request = CappedHttp.request(check.url()).GET();
      authorize(request, check, candidate);
      int status = CappedHttp.send(request.build(), time).statusCode();
      return judge(check.expectStatus(), status).of(Integer.toString(status));
    } catch (Candidate.Unusable e) {
      return e.measurement();
    } catch (CappedHttp.NoAnswer e) {
      return e.measurement();
    }
  }

  private static void authorize(
      HttpRequest.Builder request, Preflight.Http check, SecretData candidate)
      throws Candidate.Unusable {
    if (check.bearerKey() != null) {
      String token = Candidate.text(candidate, check.bearerKey());
      // RFC 6750, section 2.1. The client would quote a header that it cannot send.
      if (!token.matches("[-A-Za-z0-9._~+/]+=*")) {
        throw new Candidate.Unusable(
            "the value of key %s has signs that no bearer token has; is a line break at its end?"
                .formatted(check.bearerKey()));
      }
      request.header("Authorization", "Bearer " + token);
    } else if (check.passwordKey() != null) {
      String user = Candidate.text(candidate, check.usernameKey());
      // RFC 7617, section 2.
      if (user.contains(":")) {
        throw new Candidate.Unusable(
            "the value of key %s has a colon, which ends a user name in basic authentication"
                .formatted(check.usernameKey()));
      }
      String pair = user + ":" + Candidate.text(candidate, check.passwordKey());
      request.header(
          "Authorization",
          "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8)));
    }
  }

  static Measurement judge(Integer expected, int status) {
    if (expected == null ? status >= 200 && status <= 299 : status == expected) {
      return Measurement.passed("the answer is HTTP " + status);
    }
    if (status == TOO_MANY_REQUESTS || status >= HttpURLConnection.HTTP_INTERNAL_ERROR) {
      return Measurement.inconclusive(
          "the answer is HTTP %d: the server is busy or broken".formatted(status));
    }
    if (status == HttpURLConnection.HTTP_UNAUTHORIZED
        || status == HttpURLConnection.HTTP_FORBIDDEN) {
      return Measurement.failed("the answer is HTTP %d: access is refused".formatted(status));
    }
    return Measurement.failed(
        "the answer is HTTP %d, and expected is %s"
            .formatted(status, expected == null ? "200 to 299" : expected.toString()));
  }
}
