"""Which values a template reads, told from its text."""

from typing import Any

import pytest

from airbyte_cli.platform.template_reads import Reads, reads
from airbyte_cli.platform.template_syntax import TemplateSyntaxError


def read(text: str, values: dict[str, Any] | None = None, helpers: str = "") -> Reads:
    return reads({"templates/main.yaml": text, "templates/_helpers.tpl": helpers}, values or {})


def keys(found: Reads) -> set[str]:
    return {".".join(path) for path in found.whole | found.exact}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: {{ .Values.a }}", {"a"}),
        ("a: {{- .Values.a.b | quote -}} b", {"a.b"}),
        ("{{ $.Values.a }}", {"a"}),
        ("{{ $a := .Values.a }}{{ $a.b }}", {"a.b"}),
        ("{{ $a := .Values.a }}", set()),
        ("{{/* .Values.a */}}", set()),
        ('{{ "{{ .Values.a }}" }}', set()),
        ("{{ if .Values.a }}{{ .Values.b }}{{ else }}{{ .Values.c }}{{ end }}", {"a", "b", "c"}),
        ("{{ if .Values.a }}1{{ else if .Values.b }}2{{ else }}3{{ end }}", {"a", "b"}),
        ("{{ with .Values.a }}{{ .b }}{{ end }}", {"a", "a.b"}),
        ("{{ with $a := .Values.a }}{{ $a.b }}{{ end }}", {"a", "a.b"}),
        ("{{ range .Values.a }}{{ .b }}{{ end }}", {"a", "a.*.b"}),
        ("{{ range $key, $value := .Values.a }}{{ $value }}{{ end }}", {"a", "a.*"}),
        ("{{ range $x := list .Values.a .Values.b }}{{ $x.c }}{{ end }}", {"a", "b", "a.c", "b.c"}),
        ('{{ range $name, $part := dict "x" .Values.a }}{{ $part.b }}{{ end }}', {"a", "a.b"}),
        ("{{ default .Values.a .Values.b }}", {"a", "b"}),
        ("{{ (default dict .Values.a).b }}", {"a", "a.b"}),
        ('{{ index .Values "a" "b" }}', {"a.b"}),
        ('{{ dig "b" "c" "none" .Values.a }}', {"a.b.c"}),
        ('{{ if hasKey .Values.a "b" }}1{{ end }}', {"a.b"}),
        ('{{ printf "%s-%s" .Release.Name .Values.a }}', {"a"}),
        ("{{ .Files.Get .Values.a }}", {"a"}),
        ('{{ define "x" }}{{ .Values.a }}{{ end }}', set()),
        ('{{ define "x" }}{{ .Values.a }}{{ end }}{{ include "x" . }}', {"a"}),
        ('{{ define "x" }}{{ .b }}{{ end }}{{ template "x" .Values.a }}', {"a.b"}),
        ('{{ define "x" }}{{ (index . 1).b }}{{ end }}{{ include "x" (list . .Values.a) }}', {"a.b"}),
        ('{{ define "x" }}{{ .v.b }}{{ end }}{{ include "x" (dict "v" .Values.a "w" .Values.c) }}', {"a.b"}),
        ('{{ define "x" }}{{ .v.b }}{{ end }}{{ include "x" (set (dict) "v" .Values.a) }}', {"a.b"}),
        ('{{ define "x.y" }}{{ .Values.a }}{{ end }}{{ include (printf "x.%s" "y") . }}', {"a"}),
        ("{{ $x := .Values.a }}{{ if .Values.b }}{{ $x = .Values.c }}{{ end }}{{ $x.d }}", {"b", "a.d", "c.d"}),
        ("{{ $x := .Values.a }}{{ if .Values.b }}{{ $x := .Values.c }}{{ end }}{{ $x.d }}", {"b", "a.d"}),
    ],
)
def test_a_template_reads(text: str, expected: set[str]) -> None:
    assert keys(read(text)) == expected


def test_what_is_printed_is_read_with_all_below_it() -> None:
    found = read("{{ toYaml .Values.printed }}{{ if .Values.tested }}{{ end }}")
    assert found.read(("printed", "any", "thing"))
    assert found.read(("tested",))
    assert not found.read(("tested", "below"))


def test_a_group_is_read_when_something_below_it_is() -> None:
    found = read("{{ .Values.a.b.c }}")
    assert found.read(("a", "b"))
    assert not found.read(("a", "d"))


def test_a_value_that_is_a_template_reads_too() -> None:
    found = read("{{ tpl .Values.image $ }}", {"image": "example:{{ .Values.tag }}"})
    assert found.read(("tag",))


def test_definitions_are_known_in_every_file() -> None:
    found = read('{{ include "x" . }}', helpers='{{ define "x" }}{{ .Values.a }}{{ end }}')
    assert keys(found) == {"a"}


def test_a_definition_that_includes_itself_comes_to_an_end() -> None:
    assert keys(read('{{ define "x" }}{{ .Values.a }}{{ include "x" . }}{{ end }}{{ include "x" . }}')) == {"a"}


def test_undeclared_are_keys_that_values_yaml_lacks() -> None:
    found = read("{{ .Values.a.b }}{{ .Values.a.c }}{{ .Values.list }}{{ range .Values.list }}{{ .name }}{{ end }}")
    assert found.undeclared({"a": {"b": ""}, "list": []}) == {("a", "c")}


@pytest.mark.parametrize("text", ["{{ if .Values.a }}", "{{ end }}", "{{ (.Values.a }}", "{{ define }}{{ end }}"])
def test_a_template_that_is_none_names_its_file(text: str) -> None:
    with pytest.raises(TemplateSyntaxError, match=r"templates/main\.yaml"):
        read(text)
