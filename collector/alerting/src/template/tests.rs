#![allow(clippy::unwrap_used)]

use super::prometheus::{self, RuleFunctions};
use super::*;

fn labels() -> Value {
    Value::map([("instance", "web-1.example.org:9100"), ("job", "web")])
}

fn samples(query: &str) -> Result<Value, String> {
    match query {
        "bad" => Err("no such query".into()),
        "none" => Ok(Value::list([])),
        _ => Ok(Value::list([
            prometheus::sample(Value::map([("a", "2"), ("__value__", "x")]), 21.0),
            prometheus::sample(Value::map([("a", "1")]), 11.0),
        ])),
    }
}

fn functions() -> RuleFunctions<'static> {
    RuleFunctions {
        now_ms: 1_353_755_652_598,
        external_url: "https://n.example.org/sub/path",
        query: &samples,
    }
}

fn data() -> Value {
    prometheus::data(
        labels(),
        Value::map([("region", "eu")]),
        "https://n.example.org/sub/path",
        Value::Float(1.5),
    )
}

fn rendered(text: &str) -> Result<String, TemplateError> {
    prometheus::templates().parse(text)?.render(&data(), &functions())
}

/// Each text and what it is rendered as.
fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(rendered(text).as_deref(), Ok(*expected), "{text}");
    }
}

/// Each text, where it fails, and a part of why.
fn check_refused(cases: &[(&str, u32, u32, &str)]) {
    for (text, line, column, why) in cases {
        let error = rendered(text).expect_err(text);
        assert!(error.message.contains(why), "{text}: {error}");
        assert_eq!((error.line, error.column), (*line, *column), "{text}: {error}");
    }
}

#[test]
fn actions() {
    check(&[
        ("", ""),
        ("plain { text } {", "plain { text } {"),
        ("{{/* a comment */}}x", "x"),
        ("a {{- /* c */ -}} b", "ab"),
        ("a {{- 1 -}} b", "a1b"),
        ("a\n {{- -1 }} b", "a-1 b"),
        ("{{1}}{{-1}}", "1-1"),
        ("{{if true}}a{{end}}", "a"),
        ("{{if false}}a{{else}}b{{end}}", "b"),
        ("{{if false}}a{{else if true}}b{{else}}c{{end}}", "b"),
        ("{{if false}}a{{else if false}}b{{else}}c{{end}}", "c"),
        ("{{with .Labels.job}}{{.}}{{end}}", "web"),
        ("{{with .Labels.none}}{{.}}{{else}}none{{end}}", "none"),
        ("{{with $x := .Labels.job}}{{$x}}{{$.Value}}{{end}}", "web1.5"),
        ("{{with .Labels.none}}a{{else with .Labels.job}}{{.}}{{end}}", "web"),
        ("{{range .Labels}}{{.}} {{end}}", "web-1.example.org:9100 web "),
        ("{{range $k, $v := .Labels}}{{$k}}={{$v}};{{end}}", "instance=web-1.example.org:9100;job=web;"),
        ("{{range $i, $s := query \"x\"}}{{$i}}{{$s.Value}} {{end}}", "021 111 "),
        ("{{range query \"none\"}}a{{else}}empty{{end}}", "empty"),
        ("{{range 3}}{{.}}{{end}}", "012"),
        (
            "{{range $i := 5}}{{if eq $i 1}}{{continue}}{{end}}{{if eq $i 3}}{{break}}{{end}}{{$i}}{{end}}",
            "02",
        ),
        ("{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}", "2"),
        ("{{$x := 1}}{{if true}}{{$x := 2}}{{end}}{{$x}}", "1"),
        ("{{define \"t\"}}<{{.}}>{{end}}{{template \"t\" .Value}}", "<1.5>"),
        ("{{define \"t\"}}{{.}}{{end}}{{template \"t\"}}", "<no value>"),
        ("{{block \"b\" 3}}{{.}}{{end}}", "3"),
        ("{{define \"t\"}}[{{.arg0}}{{.arg1}}]{{end}}{{template \"t\" (args 1 \"b\")}}", "[1b]"),
        ("{{define \"t\"}}[{{.}}]{{end}}{{tmpl \"t\" 5}}", "[5]"),
    ]);
}

#[test]
fn pipelines_and_values() {
    check(&[
        ("{{.Value}}", "1.5"),
        ("{{$value}}{{$labels.job}}{{$externalLabels.region}}", "1.5webeu"),
        ("{{.Labels.missing}}|{{$labels.missing}}", "|"),
        ("{{.Labels}}", "map[instance:web-1.example.org:9100 job:web]"),
        (
            "{{.ExternalURL}} {{$externalURL}}",
            "https://n.example.org/sub/path https://n.example.org/sub/path",
        ),
        ("{{\"a\" | printf \"%s-%s\" \"b\"}}", "b-a"),
        ("{{1 | print 2 | len}}", "3"),
        ("{{(index (query \"x\") 0).Labels.a}}", "2"),
        ("{{(query \"x\" | first).Value}}", "21"),
        ("{{`raw \"x\"`}}{{\"\\t\\u00e9\\\"\"}}{{'a'}}", "raw \"x\"\té\"97"),
        ("{{0x10}} {{1_000}} {{1e3}} {{.5}} {{-2}} {{017}} {{0b11}}", "16 1000 1000 0.5 -2 15 3"),
        ("{{1000000.0}} {{123456.0}} {{1e-5}} {{0.0001}} {{1e20}}", "1e+06 123456 1e-05 0.0001 1e+20"),
        ("{{and 1 0 2}}{{and 1 2}}{{or 0 3 4}}{{or 0 \"\"}}{{not 0}}", "023true"),
        ("{{and false (first (query \"none\"))}}", "false"),
        ("{{true | and true}}{{len \"é\"}}{{len .Labels}}", "true22"),
        ("{{index .Labels \"job\"}}{{index .Labels \"x\"}}", "web"),
        ("{{slice \"abcdef\" 1 3}}{{slice \"abc\" 2}}", "bcc"),
        (
            "{{eq 1 1}}{{eq 1 2 3 1}}{{ne \"a\" \"b\"}}{{lt 1 2}}{{le 2 2}}{{gt 1.5 1.0}}{{ge \"b\" \"a\"}}",
            "truetruetruetruetruetruetrue",
        ),
        ("{{eq .Labels.job \"web\"}}{{eq nil nil}}", "truetrue"),
        ("{{print 1 2 \"a\" \"b\" 3}}|{{println 1 \"a\"}}", "1 2ab3|1 a\n"),
        ("{{html \"<a b='c'>&\"}}", "&lt;a b=&#39;c&#39;&gt;&amp;"),
        ("{{js \"it's <b>\"}}", "it\\'s \\u003Cb\\u003E"),
        ("{{urlquery \"a b&c/d\"}}", "a+b%26c%2Fd"),
        ("{{ $x := .Labels }}{{ range $k, $v := $x }}{{ $k }}{{ end }}", "instancejob"),
        ("{{ .Labels.job | toUpper | printf \"%q\" }}", "\"WEB\""),
    ]);
}

#[test]
fn printf_as_go() {
    check(&[
        (
            "{{printf \"%d|%5d|%-5d|%05d|%+d|% d|%x|%X|%#x|%o|%b|%c|%U|%q\" 42 42 42 42 42 42 255 255 255 8 5 65 65 65}}",
            "42|   42|42   |00042|+42| 42|ff|FF|0xff|10|101|A|U+0041|'A'",
        ),
        (
            "{{printf \"%s|%10s|%-10s|%.2s|%q|%x|%v\" \"abc\" \"abc\" \"abc\" \"abc\" \"a\\\"b\" \"ab\" \"v\"}}",
            "abc|       abc|abc       |ab|\"a\\\"b\"|6162|v",
        ),
        (
            "{{printf \"%f|%.2f|%8.3f|%-8.1f|%08.2f|%+.1f|%e|%.2e|%g|%.3g|%G\" 1.5 1.005 3.14159 2.5 -3.14159 1.0 12345.678 12345.678 1e21 1234567.0 1e-7}}",
            "1.500000|1.00|   3.142|2.5     |-0003.14|+1.0|1.234568e+04|1.23e+04|1e+21|1.23e+06|1E-07",
        ),
        ("{{printf \"%t|%v|%v|%v\" true false 1.0 1}}", "true|false|1|1"),
        ("{{printf \"%%|%d\" \"x\"}}", "%|%!d(string=x)"),
        ("{{printf \"%d %s\" 1}}", "1 %!s(MISSING)"),
        ("{{printf \"%d\" 1 2 \"x\"}}", "1%!(EXTRA int=2, string=x)"),
        ("{{printf \"%z\" 5}}", "%!z(int=5)"),
        ("{{printf \"%\"}}", "%!(NOVERB)"),
        ("{{printf \"%[2]s %[1]s\" \"a\" \"b\"}}", "b a"),
        ("{{printf \"%*d|%.*f\" 5 42 2 3.14159}}", "   42|3.14"),
        ("{{printf \"%v %+v %T\" .Labels.job .Value .Value}}", "web 1.5 float64"),
        ("{{printf \"%s\" .Value}}", "%!s(float64=1.5)"),
        ("{{printf \"%v\" (query \"none\")}}", "[]"),
        ("{{printf \"%#v\" \"a\"}}", "\"a\""),
        ("{{printf \"%.4g %.4g %.4g %.1f\" 100.0 12345.0 0.00001234 0.25}}", "100 1.234e+04 1.234e-05 0.2"),
    ]);
}

#[test]
fn functions_of_prometheus() {
    check(&[
        (
            "{{humanize 0.0}} {{humanize 1.0}} {{humanize 1234567.0}} {{humanize .12}} {{humanize -1234.5}}",
            "0 1 1.235M 120m -1.234k",
        ),
        ("{{humanize \"2000\"}} {{humanize 1e30}}", "2k 1e+06Y"),
        (
            "{{humanize1024 0.0}} {{humanize1024 1024.0}} {{humanize1024 1048576.0}} {{humanize1024 .12}}",
            "0 1ki 1Mi 0.12",
        ),
        (
            "{{humanizeDuration 0.0}} {{humanizeDuration 1.0}} {{humanizeDuration 59.5}} {{humanizeDuration 60.0}} {{humanizeDuration 3600.0}} {{humanizeDuration 86400.0}} {{humanizeDuration 899.99}} {{humanizeDuration .12345}} {{humanizeDuration -61.0}}",
            "0s 1s 59.5s 1m 0s 1h 0m 0s 1d 0h 0m 0s 14m 59s 123.5ms -1m 1s",
        ),
        ("{{humanizePercentage 0.1234567}} {{humanizePercentage 1.0}}", "12.35% 100%"),
        ("{{humanizeTimestamp 1435065584.128}}", "2015-06-23 13:19:44.128 +0000 UTC"),
        (
            "{{(toTime 1435065584.128).Format \"2006-01-02 15:04:05 Mon Jan _2 PM Z07:00\"}}",
            "2015-06-23 13:19:44 Tue Jun 23 PM Z",
        ),
        ("{{(toTime 1435065584.0).Unix}} {{toTime 0.0}}", "1435065584 1970-01-01 00:00:00 +0000 UTC"),
        (
            "{{toDuration 3661.5}} {{(toDuration 90.0).Minutes}} {{humanizeDuration (toDuration 90.0)}}",
            "1h1m1.5s 1.5 1m 30s",
        ),
        ("{{parseDuration \"1h2m10ms\"}}", "3720.01"),
        ("{{title \"one two-three\"}} {{toUpper \"a\"}} {{toLower \"A\"}}", "One Two-Three A a"),
        ("{{match \"a+\" \"baa\"}} {{reReplaceAll \"(a)b\" \"x$1\" \"abab\"}}", "true xaxa"),
        ("{{range query \"x\" | sortByLabel \"a\"}}{{.Labels.a}}:{{.Value}} {{end}}", "1:11 2:21 "),
        (
            "{{query \"x\" | first | value}} {{query \"x\" | first | label \"a\"}} {{query \"x\" | first | strvalue}}",
            "21 2 x",
        ),
        (
            "{{stripPort \"a.b:80\"}} {{stripPort \"[::1]:80\"}} {{stripPort \"a\"}} {{stripPort \"::1\"}}",
            "a.b ::1 a ::1",
        ),
        (
            "{{stripDomain \"a.b.c:80\"}} {{stripDomain \"a.b\"}} {{stripDomain \"1.2.3.4:5\"}}",
            "a:80 a 1.2.3.4:5",
        ),
        ("{{externalURL}} {{pathPrefix}}", "https://n.example.org/sub/path /sub/path"),
        ("{{graphLink \"up == 0\"}}", "/metrics?q=up+%3D%3D+0"),
        ("{{urlQueryEscape \"a b\"}}{{safeHtml \"<b>\"}}", "a+b<b>"),
        ("{{now}}", "1.353755652598e+09"),
    ]);
}

#[test]
fn what_is_refused() {
    check_refused(&[
        ("{{", 1, 1, "has no end"),
        ("a\n{{ .Value", 2, 1, "has no end"),
        ("{{}}", 1, 3, "missing value"),
        ("{{ $label.foo }}", 1, 4, "undefined variable \"$label\""),
        ("{{ nope 1 }}", 1, 4, "function \"nope\" not defined"),
        ("{{if true}}x", 1, 3, "no {{end}}"),
        ("x{{end}}", 1, 7, "ends nothing"),
        ("{{if true}}{{else}}{{else}}{{end}}", 1, 22, "already"),
        ("{{break}}", 1, 3, "outside {{range}}"),
        ("{{\"abc}}", 1, 3, "has no end"),
        ("{{1 | 2}}", 1, 7, "no function"),
        ("{{.Value | }}", 1, 12, "missing value"),
        ("{{ 1x }}", 1, 4, "bad number"),
        ("{{ .Foo }}", 1, 4, "can't evaluate field Foo"),
        ("{{ .Value.x }}", 1, 4, "can't evaluate field x in type float64"),
        ("{{ template \"x\" }}", 1, 4, "template \"x\" not defined"),
        ("{{ lt 1 1.5 }}", 1, 4, "incompatible types"),
        ("{{ query \"bad\" }}", 1, 4, "no such query"),
        ("{{ query \"none\" | first }}", 1, 19, "no elements"),
        ("{{ index (query \"x\") 7 }}", 1, 4, "out of range"),
        ("{{ humanize \"x\" }}", 1, 4, "cannot read"),
        ("{{ .Labels.job 1 }}", 1, 4, "no method"),
        ("{{ (1) 2 }}", 1, 4, "no function"),
        ("{{/* x }}", 1, 1, "no end"),
        ("{{define \"a\"}}1{{end}}{{define \"a\"}}2{{end}}", 1, 25, "defined twice"),
        ("{{define \"t\"}}{{template \"t\"}}{{end}}{{template \"t\"}}", 1, 17, "deeper than"),
        ("{{range 2000000}}{{end}}", 1, 9, "steps"),
        ("{{range 1000000}}{{\"aaaaaaaaaa\"}}{{end}}", 1, 20, "bytes"),
    ]);
}

#[test]
fn nesting_is_bounded() {
    let deep = format!("{}{}", "{{if true}}".repeat(500), "{{end}}".repeat(500));
    assert!(rendered(&deep).unwrap_err().message.contains("nested deeper"));
    let deep = format!("{{{{{}1{}}}}}", "(".repeat(500), ")".repeat(500));
    assert!(rendered(&deep).unwrap_err().message.contains("nested deeper"));
}

#[test]
fn definitions_of_files() {
    let mut templates = Templates::new();
    templates.add("a.tmpl", "{{define \"x\"}}a{{end}}{{define \"y\"}}{{template \"x\" .}}{{end}}").unwrap();
    templates.add("b.tmpl", "{{define \"x\"}}b{{.}}{{end}}{{define \"y\"}} {{end}}").unwrap();
    let text = |text: &str| templates.parse(text)?.render(&Value::Int(5), &NoFunctions);
    assert_eq!(text("{{template \"y\" .}}").unwrap(), "b5");
    assert_eq!(text("{{template \"x\" .}}{{define \"x\"}}own{{end}}").unwrap(), "own");
    // An error within a file names it.
    templates.add("c.tmpl", "{{define \"z\"}}\n {{.Foo}}{{end}}").unwrap();
    let error =
        templates.parse("{{template \"z\" .}}").unwrap().render(&Value::Int(5), &NoFunctions).unwrap_err();
    assert_eq!(error.to_string(), "c.tmpl:2:4: can't evaluate field Foo in type int");
    assert_eq!(templates.add("d.tmpl", "{{").unwrap_err().source, "d.tmpl");
}

#[test]
fn html_by_place() {
    let value = Value::map([
        ("text", "<b>\"it's\"</b>"),
        ("url", "https://e.org/?a=b&c=d"),
        ("bad", "javascript:alert(1)"),
        ("end", "</script><script>"),
        ("plain", "x y"),
    ]);
    let cases = [
        ("<p>{{.text}}</p>", "<p>&lt;b&gt;&#34;it&#39;s&#34;&lt;/b&gt;</p>"),
        ("<a title=\"{{.text}}\">", "<a title=\"&lt;b&gt;&#34;it&#39;s&#34;&lt;/b&gt;\">"),
        ("<a href=\"{{.url}}\">x</a>", "<a href=\"https://e.org/?a=b&amp;c=d\">x</a>"),
        ("<a href=\"{{.bad}}\">", "<a href=\"#ZgotmplZ\">"),
        ("<a href='{{.bad}}'>{{.plain}}", "<a href='#ZgotmplZ'>x y"),
        ("<a href=\"/x?q={{.url}}\">", "<a href=\"/x?q=https%3A%2F%2Fe.org%2F%3Fa%3Db%26c%3Dd\">"),
        ("<a href={{.plain}}>", "<a href=x%20y>"),
        ("<a title={{.plain}}>", "<a title=x&#32;y>"),
        (
            "<script>var a = {{.end}};</script>{{.text}}",
            "<script>var a = \"\\u003C/script\\u003E\\u003Cscript\\u003E\";</script>&lt;b&gt;&#34;it&#39;s&#34;&lt;/b&gt;",
        ),
        (
            "<b onclick=\"f({{.end}})\">",
            "<b onclick=\"f(&#34;\\u003C/script\\u003E\\u003Cscript\\u003E&#34;)\">",
        ),
        ("<p style=\"color: {{.bad}}\">", "<p style=\"color: ZgotmplZ\">"),
        ("<style>p { color: {{.plain}} }</style>", "<style>p { color: x y }</style>"),
        ("<!-- {{.text}} -->{{.plain}}", "<!--  -->x y"),
        ("<title>{{.text}}</title>", "<title>&lt;b&gt;&#34;it&#39;s&#34;&lt;/b&gt;</title>"),
        ("<p {{.text}}>", "<p ZgotmplZ>"),
        ("{{safe .text}}", "<b>\"it's\"</b>"),
        ("<a href=\"{{.bad}}{{.bad}}\">", "<a href=\"#ZgotmplZjavascript:alert%281%29\">"),
        ("a < b {{.text}}", "a < b &lt;b&gt;&#34;it&#39;s&#34;&lt;/b&gt;"),
    ];
    struct Safe;
    impl Functions for Safe {
        fn call(&self, name: &str, args: &[Value]) -> Option<Result<Value, String>> {
            (name == "safe").then(|| Ok(Value::Html(args[0].as_str().unwrap_or_default().into())))
        }
    }
    for (text, expected) in cases {
        let template = Templates::new().parse(text).unwrap();
        assert_eq!(template.render_html(&value, &Safe).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn methods_of_the_caller() {
    struct Methods;
    impl Functions for Methods {
        fn call(&self, _: &str, _: &[Value]) -> Option<Result<Value, String>> {
            None
        }
        fn method(&self, receiver: &Value, name: &str, args: &[Value]) -> Option<Result<Value, String>> {
            match (receiver, name) {
                (Value::Map(map), "Count") => Some(Ok(Value::Int((map.len() + args.len()) as i64))),
                (Value::Map(_), "Fail") => Some(Err("no".into())),
                _ => None,
            }
        }
    }
    let data = Value::map([("a", "b")]);
    let text = |text: &str| Templates::new().parse(text).unwrap().render(&data, &Methods);
    assert_eq!(text("{{.Count}}{{.Count 1}}{{5 | .Count 1}}").unwrap(), "123");
    assert_eq!(text("{{(.Count 1)}}{{.a}}").unwrap(), "2b");
    assert!(text("{{.Fail}}").unwrap_err().message.contains("error calling Fail: no"));
}
