#!/bin/bash
# SPDX-License-Identifier: MIT
#
# scripts.sh - perl and lua: interpreters that allocate for every value
. "$(dirname "$0")/../lib.sh"

cat >"$T/job.pl" <<'END'
use strict;
use warnings;

my (%h, @a, $sum);
my $x = 12345;
sub rnd { $x = ($x * 1103515245 + 12345) % 2147483648; return $x % $_[0]; }
for my $i (1 .. 60000) {
	$h{"key" . rnd(20000)} .= "v" x rnd(40);
	push @a, [$i, rnd(1000), { name => "n$i", list => [1 .. rnd(8)] }];
	delete $h{"key" . rnd(20000)} if $i % 3 == 0;
	splice @a, rnd(scalar @a), 5 if @a > 9000;
}
$sum += length for values %h;
print scalar(keys %h), " keys, $sum bytes, ", scalar(@a), " rows\n";
my @s = sort { $a->[1] <=> $b->[1] || $a->[0] <=> $b->[0] } @a;
print join(",", map { $_->[2]{name} } @s[0 .. 20]), "\n";
my $text = join " ", map { "word$_" } 1 .. 30000;
my $n = () = $text =~ /\bw(\w+?)(\d)\2\b/g;
(my $t = $text) =~ s/(\d+)/sprintf("%05d", $1)/ge;
print "$n ", length($t), "\n";
my @closures = map { my $k = $_; sub { return $k * $_[0] } } 1 .. 5000;
$sum = 0;
$sum += $_->(3) for @closures;
my $deep = [];
$deep = [$deep, $_] for 1 .. 50000;
undef $deep;
print "$sum ", length(pack("w*", 1 .. 20000)), " ", unpack("%32C*", $t), "\n";
END

cat >"$T/job.lua" <<'END'
local x = 12345
local function rnd(n) x = (x * 1103515245 + 12345) % 2147483648; return x % n + 1 end
local t, words = {}, {}
for i = 1, 150000 do
	t[rnd(20000)] = { i, tostring(i):rep(rnd(6)), { a = i, b = rnd(9) } }
	if i % 4 == 0 then t[rnd(20000)] = nil end
	if i % 50000 == 0 then collectgarbage() end
end
local n, bytes = 0, 0
for i = 1, 20001 do
	if t[i] then n = n + 1; bytes = bytes + #t[i][2]; words[#words + 1] = t[i][2] end
end
table.sort(words)
print(n, bytes, words[1], words[#words])
local s = table.concat(words, " ")
local out = s:gsub("%d(%d)", "%1"):upper()
print(#s, #out, select(2, s:gsub("99", "")))
local co = {}
for i = 1, 5000 do
	co[i] = coroutine.wrap(function() for k = 1, 3 do coroutine.yield(k * i) end end)
end
local sum = 0
for k = 1, 3 do for i = 1, 5000 do sum = sum + co[i]() end end
print(sum)
END

perl_job() { under perl "$T/job.pl"; }
lua_job() { under "$lua" "$T/job.lua"; }

if command -v perl >/dev/null; then
	same "perl" perl_job
else
	skip "perl" "perl is missing"
fi
lua=$(command -v lua5.4 || command -v lua)
if [ -n "$lua" ]; then
	same "lua" lua_job
else
	skip "lua" "package lua5.4 is missing"
fi
tap_done
