// dotnet run Request.cs, with .NET 10 or later; signs with its own library alone.
using System; using System.Collections.Generic; using System.Globalization; using System.Linq;
using System.Net.Http; using System.Security.Cryptography; using System.Text;

static class Request {
  static void Main() {
    var uri = new Uri(Env("TOKEN_BROKER_URL") + "/tokens/helpdesk/system");
    var time = DateTime.UtcNow.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
    var headers = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["host"] = uri.Authority, ["x-amz-date"] = time };
    if (Env("AWS_SESSION_TOKEN") != null) headers["x-amz-security-token"] = Env("AWS_SESSION_TOKEN");
    var names = string.Join(";", headers.Keys);
    var lines = string.Concat(headers.Select(header => header.Key + ":" + header.Value + "\n"));
    var scope = time.Substring(0, 8) + "/" + Env("AWS_REGION") + "/execute-api/aws4_request";
    var canonical = "GET\n" + uri.AbsolutePath + "\n\n" + lines + "\n" + names + "\n" + Sha256("");
    var key = Encoding.UTF8.GetBytes("AWS4" + Env("AWS_SECRET_ACCESS_KEY"));
    foreach (var part in scope.Split('/')) key = Hmac(key, part);
    var signature = Hex(Hmac(key, "AWS4-HMAC-SHA256\n" + time + "\n" + scope + "\n" + Sha256(canonical)));
    headers["authorization"] = "AWS4-HMAC-SHA256 Credential=" + Env("AWS_ACCESS_KEY_ID") + "/" + scope + ", SignedHeaders=" + names + ", Signature=" + signature;
    var request = new HttpRequestMessage(HttpMethod.Get, uri);
    foreach (var header in headers) request.Headers.TryAddWithoutValidation(header.Key, header.Value);
    Console.WriteLine(new HttpClient().SendAsync(request).Result.Content.ReadAsStringAsync().Result);
  }
  static string Env(string name) => Environment.GetEnvironmentVariable(name);
  static byte[] Hmac(byte[] key, string text) => new HMACSHA256(key).ComputeHash(Encoding.UTF8.GetBytes(text));
  static string Sha256(string text) => Hex(SHA256.Create().ComputeHash(Encoding.UTF8.GetBytes(text)));
  static string Hex(byte[] bytes) => BitConverter.ToString(bytes).Replace("-", "").ToLowerInvariant();
}
