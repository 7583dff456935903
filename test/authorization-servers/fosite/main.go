// An authorization server by ory/fosite, for the tests beside it: an endpoint for tokens, and one that says what a token
// was issued for. Its clients, issuers and users come as JSON on stdin; its URL goes to stdout; it ends with its stdin.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/go-jose/go-jose/v3"
	"github.com/ory/fosite"
	"github.com/ory/fosite/compose"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/storage"
)

const tokenPath = "/oauth2/token"

type client struct {
	Id         string
	Secret     string
	Method     string
	Algorithm  string
	Key        *jose.JSONWebKey
	GrantTypes []string
	Scopes     []string
}

type issuer struct {
	Name    string
	Subject string
	Key     *jose.JSONWebKey
	Scopes  []string
}

type setup struct {
	LifeSeconds int
	Clients     []client
	Issuers     []issuer
	Users       map[string]string
}

func main() {
	decoder := json.NewDecoder(os.Stdin)
	var given setup
	must(decoder.Decode(&given))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	url := "http://" + listener.Addr().String()
	config := &fosite.Config{
		GlobalSecret:                        []byte("a secret of a test, of 32 bytes."),
		TokenURL:                            url + tokenPath,
		AccessTokenLifespan:                 time.Duration(given.LifeSeconds) * time.Second,
		GrantTypeJWTBearerCanSkipClientAuth: true,
		GrantTypeJWTBearerMaxDuration:       time.Hour,
		RefreshTokenScopes:                  []string{"offline"},
	}
	server := compose.Compose(
		config,
		storeOf(given, config),
		&compose.CommonStrategy{CoreStrategy: compose.NewOAuth2HMACStrategy(config)},
		compose.OAuth2ClientCredentialsGrantFactory,
		compose.OAuth2RefreshTokenGrantFactory,
		compose.OAuth2ResourceOwnerPasswordCredentialsFactory,
		compose.RFC7523AssertionGrantFactory,
		compose.OAuth2TokenIntrospectionFactory,
	)
	http.HandleFunc("POST "+tokenPath, func(response http.ResponseWriter, request *http.Request) {
		issue(server, response, request)
	})
	http.HandleFunc("GET /found", func(response http.ResponseWriter, request *http.Request) {
		find(server, response, request)
	})
	fmt.Println(url)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	must(http.Serve(listener, nil))
}

func issue(server fosite.OAuth2Provider, response http.ResponseWriter, request *http.Request) {
	ctx := request.Context()
	asked, err := server.NewAccessRequest(ctx, request, &oauth2.JWTSession{})
	if err != nil {
		server.WriteAccessError(ctx, response, asked, err)
		return
	}
	for _, scope := range asked.GetRequestedScopes() {
		asked.GrantScope(scope)
	}
	answer, err := server.NewAccessResponse(ctx, asked)
	if err != nil {
		server.WriteAccessError(ctx, response, asked, err)
		return
	}
	server.WriteAccessResponse(ctx, response, asked, answer)
}

func find(server fosite.OAuth2Provider, response http.ResponseWriter, request *http.Request) {
	session := &oauth2.JWTSession{}
	token := fosite.AccessTokenFromRequest(request)
	_, found, err := server.IntrospectToken(request.Context(), token, fosite.AccessToken, session)
	if err != nil {
		response.WriteHeader(http.StatusUnauthorized)
		return
	}
	must(json.NewEncoder(response).Encode(map[string]any{
		"client":  found.GetClient().GetID(),
		"subject": found.GetSession().GetSubject(),
		"scopes":  found.GetGrantedScopes(),
	}))
}

func storeOf(given setup, config *fosite.Config) *storage.MemoryStore {
	store := storage.NewMemoryStore()
	for _, each := range given.Clients {
		store.Clients[each.Id] = clientOf(each, config)
	}
	for _, each := range given.Issuers {
		keys := map[string]storage.PublicKeyScopes{each.Key.KeyID: {Key: each.Key, Scopes: each.Scopes}}
		if store.IssuerPublicKeys[each.Name].KeysBySub == nil {
			store.IssuerPublicKeys[each.Name] = storage.IssuerPublicKeys{
				Issuer:    each.Name,
				KeysBySub: map[string]storage.SubjectPublicKeys{},
			}
		}
		store.IssuerPublicKeys[each.Name].KeysBySub[each.Subject] = storage.SubjectPublicKeys{
			Subject: each.Subject,
			Keys:    keys,
		}
	}
	for name, password := range given.Users {
		store.Users[name] = storage.MemoryUserRelation{Username: name, Password: password}
	}
	return store
}

func clientOf(given client, config *fosite.Config) fosite.Client {
	made := &fosite.DefaultOpenIDConnectClient{
		DefaultClient: &fosite.DefaultClient{
			ID:         given.Id,
			GrantTypes: given.GrantTypes,
			Scopes:     given.Scopes,
		},
		TokenEndpointAuthMethod:           given.Method,
		TokenEndpointAuthSigningAlgorithm: given.Algorithm,
	}
	if given.Key != nil {
		made.JSONWebKeys = &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{*given.Key}}
	}
	if given.Secret != "" {
		hash, err := config.GetSecretsHasher(context.Background()).Hash(context.Background(), []byte(given.Secret))
		must(err)
		made.Secret = hash
	}
	return made
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
