"""Small specs that between them use every feature of the language, for the tests of emitted code and direct build."""

from __future__ import annotations

HEAD = "net sample\ninput 16x16x4\n"
UNIT = """
def unit(ch, stride=1) {
    add {
        | if stride > 1 { subsample (stride) }; if ch > channels { padchannels ch }
        | bn; relu; conv (ch)x3/(stride); bn; relu; conv (ch)x3
    }
}
"""

SAMPLES: dict[str, str] = {
    "chain": HEAD + "conv 8x3 bn relu; pool 2; conv 8x3/2 relu; fc 5 softmax",
    "input alone": HEAD,
    "repeat": HEAD + "param n = 3\nconv 8x3\nrepeat n { conv 8x3 relu; bn }\nconv 4x1",
    "index": HEAD + "repeat 3 as i { conv (4 * 2**i)x3/(2 if i == 1 else 1) }\nconv 4x1",
    "nested repeats": HEAD
    + "param n = 2\nparam m = n + 1\nrepeat n { conv 4x3; repeat m { conv 4x1; relu }; conv 4x3 }\nconv 2x1; relu",
    "uneven repeats": HEAD + "repeat 3 as i { repeat i { conv 4x3 }; conv 4x1 }\nconv 2x1",
    "no passes": HEAD + "param n = 0\nrepeat n { conv 4x3 }\nconv 2x1; pool 2",
    "passes of channels": HEAD + "repeat channels // 2 { conv 4x3 }\nconv 2x1",
    "channels before a flatten": HEAD + "relu; fc (channels*2 if channels > 3 else 1) relu; fc (channels-1)",
    "passes of channels that change": HEAD + "repeat channels - 1 { fc (channels+1) bias=false }; fc 2",
    "passes of channels that are hoisted": HEAD + "repeat channels - 2 { fc 3; max { | identity | relu } }; fc 2",
    "repeat in if": HEAD
    + "param deep = false\nparam n = 2\nif deep { repeat n { conv 4x3 } } else { conv 4x1 }\nconv 2x1\nrepeat 2 { conv 4x1 }",
    "labelled repeat": HEAD + "stage: repeat 2 { conv 4x3; a: conv 4x3 }\nadd stage\nstep: conv 4x1",
    "labels in repeat": HEAD + "conv 4x1\nrepeat 3 { a: conv 4x3 relu; conv 4x3; add a }\nconv 2x1",
    "if": HEAD
    + "param mode = 2\nparam wide = true\nif mode == 1 { conv 4x3 } else if mode == 2 and wide { conv 8x3 } else { pool 2 }\nconv 2x1",
    "labels in arms": HEAD + "param c = true\nif c { a: conv 4x3 } else { a: conv 4x5 }\nconv 4x3\nadd a",
    "resnet": HEAD
    + UNIT
    + "conv 8x3\ndef group(n, ch, down=false) { unit ch stride=(2 if down else 1); repeat n-1 { unit ch } }\n"
    + "param n = 2\ngroup n 8; group n=n ch=16 down; group n ch=32 down=true\nbn; relu; gap; fc 10 softmax",
    "labels of all passes": HEAD
    + "param n = 3\nconv 4x1\nrepeat n as i { r: identity; conv 4x3; z: conv 4x1; if i > 0 { max z*; relu }; add r }\n"
    + "a: conv 4x1\nrepeat 2 { repeat n - 1 { steps: conv 4x3; if n > 2 { s: relu } } }\nadd steps* a z*\n"
    + "def grow(n) { z: conv 4x1; repeat n { conv 4x3; z: relu }; concat z* }\ngrow 2; end: grow n; concat s* a end",
    "carried labels": HEAD
    + "param n = 3\np: conv 4x1; q: relu\nrepeat n as i { h: identity; add p; conv 4x3; n1: relu; p: from h; from n1 }\nadd p\n"
    + "add { | from q; repeat 2 { add q; q: conv 4x1 } | identity }\nadd { | from p; conv 4x3; last: relu | repeat n { p: conv 4x1 } }\n"
    + "max p q\ndef chain(n) with t { repeat n { repeat 2 { add t; t: conv 4x3 }; if n > 2 { add t } }; mul t }\nchain 2 with p; chain n with q",
    "tensors": HEAD
    + "def up(ch, act=relu) with skip deep { deconv (ch)x2/2 act; concat skip; conv (ch)x1; add { | from deep; conv (ch)x1 | identity } }\n"
    + "param n = 2\nenc: conv 8x3; pool 2; mid: conv 8x3; pool 2\nup 8 with mid mid\nup act=tanh ch=(n*4) with enc enc\n"
    + "shared def both() with a b { max a b; conv 8x3 }\n"
    + "def fork() with x name { add x; t: relu; both with t name; max name }\n"
    + "main: conv 8x1; fork with enc main; both with main enc",
    "residual first": HEAD
    + "repeat 3 { add { | conv 4x3 bn relu; conv 4x3 | identity }; relu }\nsub { | conv 4x3 | identity }",
    "unet": HEAD
    + "e1: conv 4x3 relu; pool 2\ne2: conv 8x3 relu; pool 2\nconv 16x3 relu\nupsample 2; concat e2; conv 8x3 relu\n"
    + "deconv 4x2/2; concat { | from e1 | identity }; conv 4x3 relu\nconv 1x1 sigmoid",
    "inception": HEAD
    + "def inception(b1, r3, b3, pp) {\n    concat {\n        | conv (b1)x1 relu\n        | conv (r3)x1 relu; conv (b3)x3 relu\n"
    + "        | pool 3/1; conv (pp)x1 relu\n    }\n}\ninception 4 2 4 2; inception 4 3 5 3; gap; fc 3",
    "squeeze": HEAD
    + "def se(ratio=2) { mul { | identity | gap keep; conv (channels//ratio)x1 relu; conv (channels*ratio)x1 sigmoid } }\n"
    + "conv 8x3; se; se ratio=4",
    "nested combiners": HEAD
    + "add { | identity | concat { | conv 2x3 | conv 2x1 | identity }; conv 4x1 }\nmax { | conv 4x3 | conv 4x5 | identity }",
    "dense": HEAD + "def layer(k=4) { concat { | identity | bn; relu; conv (k)x3 } }\nrepeat 3 { layer }\nlayer k=2",
    "shared": "net pair\nshared def tower(ch=4) { conv (ch)x3 relu; repeat 2 { conv (ch)x3 bn relu }; gap; fc 8 }\n"
    "left: input 12x12x1; a: tower; right: input 12x12x1; tower ch=4; sub a; abs; fc 1 sigmoid",
    "shared at sizes": HEAD
    + "shared def head(k) { repeat 2 { conv 4x3 bn prelu }; add { | identity | padchannels 8; shuffle 2; conv 4x1 }; "
    + "if rows > 4 { relu } else { relu }; conv (k*4)x3 }\n"
    + "def level(n) { head 2; gap }\na: conv 4x3; b: conv 4x3/2; c: conv 4x3/2\nfrom a; head 2; gap; x: identity\n"
    + "from b; y: level 1\nfrom c; level 2\nconcat x y",
    "ramps": HEAD
    + "param n = 2\nparam deep = true\ndef unit(rate, k=1) { repeat k { add { | identity | conv 4x3; droppath (rate) ramp } } }\n"
    + "shared def twice() { conv 4x1; droppath 0.3 ramp }\nrepeat n { unit 0.2; droppath 0.1 }\n"
    + "if deep { unit 0.4 k=n; twice } else if n > 5 { unit 0.1 }\ntwice; droppath 0.2 ramp; conv 8x1",
    "shared inside": "net pair\ndef part(ch) { conv (ch)x3; relu }\nshared def tower() { part 4; part 4 }\n"
    "input 12x12x1; part 4; conv 1x1; a: tower; conv 1x1; tower; add a",
    "models": "net models\nparam k = 4\nshared def mix(ch, n=2) with skip { repeat n { conv (ch)x3 bn }; concat skip }\n"
    + "shared def inner() { conv 4x3 relu }\nshared def outer() { conv 4x1; inner; bn; inner }\n"
    + "shared def piece(ch=channels) { conv (ch)x3; prelu single }\ndef level(n) { repeat n { piece } }\n"
    + "input 12x12x3\na: conv (k)x1; conv (k)x1; mix k with a; pool 2; b: conv (k)x1; conv (k)x1; mix k with b\n"
    + "add { | outer | outer; relu }\nlevel 2; if k > 3 { piece }; gap; fc 2",
    "several outputs": HEAD
    + "aux: conv 4x3; gap\nside: fc 3 softmax\nfrom aux; conv 8x3; gap\nmain: fc 3 softmax\noutput main side",
    "several inputs": "net two\nleft: input 8x8x3; conv 4x3\na: relu\nright: input 8x8x2; conv 4x3; concat a; gap; fc 2",
    "one dimension": "net seq\ninput 64x8\nconv 16x5/2 relu; pool 2; conv 8x3 pad=causal; gap; fc 2",
    "three dimensions": "net vol\ninput 8x8x8x1\nconv 4x3 relu; pool 2; conv 4x3x3x1; gap; fc 2",
    "two ranks": "net ranks\ndef c(ch) { conv (ch)x3; bn }\na: input 8x8x2; c 4; gap\nb: fc 3\nd: input 16x2; c 4; c 4; gap; fc 3; add b",
    "unknown sizes": "net any\ninput ?x?x3\nconv 4x3/2 relu; conv 8x3/2 relu; gap; fc 2",
    "defaults": HEAD
    + "default conv l2=1e-4 init=he_normal bias=false\ndef c(ch) { conv (ch)x3 }\nc 4\nconv 4x3 l2=2e-4\n"
    + "repeat 2 { default bn decay=0.99; conv 4x3 bn }\nbn",
    "sizes": "input 8x6x4\ndef d(k=rows//2, ch=frames) { conv (ch)x(k)x1x1; gap keep; conv (2*frames+2*rows)x1 }\n"
    "def e(n=rows) { conv (n)x1 }\nconv (rows)x(columns//3) relu pad=(rows//8)\nrepeat columns//3 { conv (channels+rows)x1 }; conv (rows)x1\n"
    "if rows > columns { crop before=0 after=(rows-8)x(columns-6) }\ne\nreshape 2x2x2x?\ne\nd ch=3; reshape 4x1; conv (rows)x1; e\nfc rows",
    "default words": HEAD
    + "param nl=tanh\ndefault conv bn relu\ndef c(ch, act) { conv (ch)x3; default conv act; conv (ch)x1; conv 4x1 linear }\n"
    + "c 4 selu; c 8 elu\nconv 4x3\nrepeat 2 { default conv bn (nl); conv 4x3; conv 4x3 swish }\nconv 8x1\nresblock 1 8",
    "activation parameter": HEAD + "def c(ch, act=relu) { conv (ch)x3 act }\nc 4; c 4 act=tanh; c 4 relu",
    "layer parameter": HEAD + "param f = relu\ndef c(ch, act=relu) { conv (ch)x3 bn act }\nc 4; c 4; c 4 act=f",
    "computed": HEAD
    + "param alpha = 0.75\ndef c(ch, alpha, cin=channels, k=1+2) { conv ((cin*alpha+ch)//4*4)x(k)x(k-2)/(1 if not cin > 4 or k < 2 else 2)x1 }\nc 8 (alpha); c 16 alpha; c 8 alpha=alpha k=5\n"
    + "param p = 2**2 % 3\npool 2; dropout (alpha/2); conv (-p+5)x1",
    "options": HEAD
    + "param rate = 0.25\nconv 8x3 pad=1; conv 8x3 pad=valid; dwconv 3; sepconv 8x3; conv 8x3 groups=2; prelu; leakyrelu 0.1\n"
    + "lrn; dropout (rate); groupnorm 2; layernorm; avgpool 2; crop 1; pad 1; flatten; fc 6; reshape 2x3",
    "words that repeat": HEAD
    + "conv 8x3 tanh bn relu\nconv 8x3 elu bn\nconv 8x1 tanh bn relu6\nconv 4x3 bn; conv 4x1/2 bn relu pad=1\n"
    + "repeat 2 { dwconv 3 bn relu6 }\nconv_bn: dwconv 3 bn\nconv 4x1; add conv_bn\nfc 9 relu init=0.01; fc 9 init=0.01; fc 4 init=0.01 tanh",
    "names that mean something": "net names\nparam class = 4\nparam name = 3\nparam x = 2\ndef sum(layers, keras=3, print=1) { conv (layers)x(keras); "
    + "self: relu }\ninput 8x8x4\nlambda: sum class\nlist: sum 4 print=2; inputs: conv (x*2)x(name); add list\nonce: sum 4; add lambda",
    "implicit flatten": HEAD + "param n = 2\nrepeat n { fc 8 relu; dropout 0.5 }\nfc 2",
    "inputs in a definition": "net inner\ndef branch(ch) { input 8x8x2; conv (ch)x3 }\na: branch 4; branch 4; add a",
}
