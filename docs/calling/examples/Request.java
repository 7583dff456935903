// java Request.java, with Java 17 or later; signs with the JDK alone.
import static java.nio.charset.StandardCharsets.UTF_8;
import java.net.URI; import java.net.http.*; import java.security.MessageDigest; import java.time.Instant;
import java.util.*; import javax.crypto.Mac; import javax.crypto.spec.SecretKeySpec;

class Request {
  static final Map<String, String> env = System.getenv();
  public static void main(String[] args) throws Exception {
    var uri = URI.create(env.get("TOKEN_BROKER_URL") + "/tokens/helpdesk/system");
    var time = Instant.now().toString().replaceAll("[-:]|\\.\\d+", "");
    var headers = new TreeMap<>(Map.of("host", uri.getAuthority(), "x-amz-date", time));
    if (env.containsKey("AWS_SESSION_TOKEN")) headers.put("x-amz-security-token", env.get("AWS_SESSION_TOKEN"));
    var names = String.join(";", headers.keySet());
    var canonical = "GET\n" + uri.getPath() + "\n\n";
    for (var header : headers.entrySet()) canonical += header.getKey() + ":" + header.getValue() + "\n";
    var scope = time.substring(0, 8) + "/" + env.get("AWS_REGION") + "/execute-api/aws4_request";
    var toSign = "AWS4-HMAC-SHA256\n" + time + "\n" + scope + "\n" + sha256(canonical + "\n" + names + "\n" + sha256(""));
    var key = ("AWS4" + env.get("AWS_SECRET_ACCESS_KEY")).getBytes(UTF_8);
    for (var part : scope.split("/")) key = hmac(key, part);
    var request = HttpRequest.newBuilder(uri).header("authorization", "AWS4-HMAC-SHA256 Credential=" + env.get("AWS_ACCESS_KEY_ID")
        + "/" + scope + ", SignedHeaders=" + names + ", Signature=" + HexFormat.of().formatHex(hmac(key, toSign)));
    headers.forEach((name, value) -> { if (!name.equals("host")) request.header(name, value); });
    System.out.println(HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofString()).body());
  }
  static byte[] hmac(byte[] key, String text) throws Exception { var mac = Mac.getInstance("HmacSHA256"); mac.init(new SecretKeySpec(key, "HmacSHA256")); return mac.doFinal(text.getBytes(UTF_8)); }
  static String sha256(String text) throws Exception { return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8))); }
}
